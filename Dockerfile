# The programs and the certificates they need, and nothing else: no shell, no user with
# rights. docker run IMAGE runs dpgbot; --entrypoint /usr/local/bin/dpg the other.
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/ ./cmd/dpg ./cmd/dpgbot
RUN mkdir -p /folders/data /folders/tmp && chmod 1777 /folders/data /folders/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ /usr/local/bin/
COPY --from=build /folders/ /
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/usr/local/bin/dpgbot"]
