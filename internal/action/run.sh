#!/usr/bin/env bash
# Runs one command of dpg or dpgbot as the inputs of the Action say, and hands its
# results on: annotations to the log, the report to the job's summary, outputs to the
# steps after it. Nothing that is read is ever evaluated.
set -euo pipefail

fail() { echo "::error title=dpg-registry::$1"; exit 2; }

# The programs that read files and ask models never see the token.
token=${INPUT_TOKEN:-}
unset INPUT_TOKEN GITHUB_TOKEN GH_TOKEN
as_bot() { GITHUB_TOKEN=$token "$DPG_BIN/dpgbot" "$@"; }

output() { echo "$1=$2" >>"$GITHUB_OUTPUT"; }

# The shell of macOS is bash 3.2, and this must do without what came after it.

# A line break in a value would begin an output of its own.
for name in REGISTRY AS_OF STRICT CHANGED_SINCE FORMAT OUT BASE_URL PULL_REQUEST HEAD_REPOSITORY HEAD_SHA MODEL MODEL_URL ASSESSMENTS; do
	value=INPUT_$name
	case ${!value:-} in *$'\n'* | *$'\r'*) fail "the input of INPUT_$name has a line break" ;; esac
done

args=(--registry "${INPUT_REGISTRY:-registry}")
add() { [ -z "$2" ] || args+=("$1=$2"); }
more=()
while IFS= read -r line || [ -n "$line" ]; do
	[ -z "$line" ] || more+=("$line")
done <<<"${INPUT_ARGS:-}"
report=$RUNNER_TEMP/dpg-report
forge=github:$GITHUB_REPOSITORY

case $INPUT_COMMAND in
validate)
	add --as-of "${INPUT_AS_OF:-}"
	add --changed-since "${INPUT_CHANGED_SINCE:-}"
	[ "${INPUT_STRICT:-}" != true ] || args+=(--strict)
	args+=("${more[@]+"${more[@]}"}")
	case ${INPUT_FORMAT:-json} in json | sarif | markdown) ;; *) fail "format is one of json, sarif, markdown" ;; esac
	out=${INPUT_OUT:-$report.${INPUT_FORMAT:-json}}
	status=0
	"$DPG_BIN/dpg" validate "${args[@]}" --format github || status=$?
	[ "$status" -le 1 ] || exit "$status"
	"$DPG_BIN/dpg" validate "${args[@]}" --format markdown >>"$GITHUB_STEP_SUMMARY" 2>/dev/null || true
	"$DPG_BIN/dpg" validate "${args[@]}" --format json >"$report.json" || true
	[ "$out" = "$report.json" ] || "$DPG_BIN/dpg" validate "${args[@]}" --format "${INPUT_FORMAT:-json}" >"$out" 2>/dev/null || true
	output findings "$(sed -n -E 's/^  "(errors|warnings)": ([0-9]+),?$/\2/p' "$report.json" | awk '{ n += $1 } END { print n+0 }')"
	output report "$out"
	exit "$status"
	;;
build)
	[ -n "${INPUT_OUT:-}" ] || fail "build needs the input out"
	"$DPG_BIN/dpg" build "${args[@]}" --out "$INPUT_OUT" "${more[@]+"${more[@]}"}"
	output catalog "$INPUT_OUT"
	;;
assess)
	add --model "${INPUT_MODEL:-}"
	add --model-url "${INPUT_MODEL_URL:-}"
	add --out "${INPUT_OUT:-}"
	"$DPG_BIN/dpg" assess "${args[@]}" "${more[@]+"${more[@]}"}"
	;;
review)
	add --as-of "${INPUT_AS_OF:-}"
	if [ "${INPUT_PULL_REQUEST:-}" = outdated ]; then
		as_bot review --forge "$forge" "${args[@]}" --outdated "${more[@]+"${more[@]}"}"
		exit
	elif [ -n "${INPUT_PULL_REQUEST:-}" ]; then
		args+=(--pr "$INPUT_PULL_REQUEST")
	elif [ -n "${INPUT_HEAD_SHA:-}" ]; then
		args+=(--head-sha "$INPUT_HEAD_SHA")
		add --head-repository "${INPUT_HEAD_REPOSITORY:-}"
	else
		args+=(--event "$GITHUB_EVENT_PATH")
	fi
	# What a stranger's pull request starts has a token that only reads.
	[ "$GITHUB_EVENT_NAME" != pull_request ] || args+=(--dry-run)
	status=0
	: >"$report.md"
	as_bot review --forge "$forge" "${args[@]}" --format github --summary "$report.md" --outputs "$GITHUB_OUTPUT" "${more[@]+"${more[@]}"}" || status=$?
	cat "$report.md" >>"$GITHUB_STEP_SUMMARY"
	output report "$report.md"
	exit "$status"
	;;
respond)
	add --as-of "${INPUT_AS_OF:-}"
	as_bot respond --forge "$forge" "${args[@]}" --event "$GITHUB_EVENT_PATH" --outputs "$GITHUB_OUTPUT" "${more[@]+"${more[@]}"}"
	;;
sync)
	add --as-of "${INPUT_AS_OF:-}"
	add --publish "${INPUT_OUT:-}"
	add --assessments "${INPUT_ASSESSMENTS:-}"
	as_bot sync --forge "$forge" "${args[@]}" --outputs "$GITHUB_OUTPUT" "${more[@]+"${more[@]}"}"
	[ -z "${INPUT_OUT:-}" ] || output catalog "$INPUT_OUT"
	;;
observe)
	add --as-of "${INPUT_AS_OF:-}"
	as_bot observe --forge "$forge" "${args[@]}" --outputs "$GITHUB_OUTPUT" "${more[@]+"${more[@]}"}"
	;;
publish)
	[ -n "${INPUT_BASE_URL:-}" ] || fail "publish needs the input base-url"
	as_bot publish --forge "$forge" "${args[@]}" --to "$INPUT_BASE_URL" "${more[@]+"${more[@]}"}"
	case $INPUT_BASE_URL in branch:* | s3:*) ;; *) output catalog "$INPUT_BASE_URL" ;; esac
	;;
*) fail "command is one of validate, build, assess, review, respond, sync, observe, publish" ;;
esac
