#!/bin/sh
# Plays the main job with real programs and a real Git repository: a contributor
# proposes an entry with two mistakes, the bot reviews it, the contributor mends
# it, a maintainer merges, the bot proposes assessments and publishes.
#
#   demo.sh          ends there, and fails unless all went as told
#   demo.sh --serve  serves the published catalog until interrupted
set -eu
cd "$(dirname "$0")/../.."
root=$(pwd)
dpg="$root/bin/dpg"
dpgbot="$root/bin/dpgbot"
demo="$root/demo"
forge="$demo/forge"
rm -rf "$demo"
mkdir -p "$demo"

# Nobody's own Git settings take part: names and dates are the same everywhere.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=Contributor GIT_AUTHOR_EMAIL=contributor@example.org
export GIT_COMMITTER_NAME=Contributor GIT_COMMITTER_EMAIL=contributor@example.org
# The day of the latest fact in the registry: no entry speaks of the future.
day=$(grep -rhoE '(as_of|date|published): "?[0-9]{4}-[0-9]{2}-[0-9]{2}' registry | grep -oE '[0-9-]{10}$' | sort | tail -n 1)
export GIT_AUTHOR_DATE="${day}T12:00:00Z" GIT_COMMITTER_DATE="${day}T12:00:00Z"

step() { printf '\n\033[1m%s\033[0m\n' "== $*"; }
[ -t 1 ] || step() { printf '\n== %s\n' "$*"; }
show() { echo "\$ $*"; }
fail() { echo "demo: not as told: $*" >&2; exit 1; }

step "A registry in a Git repository, on a forge that is a folder"
show dpgbot forge init demo/forge
"$dpgbot" forge init "$forge"
git init -q -b main "$demo/seed"
cp -R registry schemas "$demo/seed/"
rm "$demo"/seed/*/*.go # data only: the Go beside it is the program's
rm -rf "$demo/seed/registry/assessments"
git -C "$demo/seed" add -A
git -C "$demo/seed" commit -q -m "registry: start"
git -C "$demo/seed" push -q "$forge/repo.git" main
(cd "$demo/seed" && "$dpg" validate)

step "A contributor proposes an entry, with two mistakes in it"
git clone -q "$forge/repo.git" "$demo/contributor"
git -C "$demo/contributor" switch -q -c add-clinic-notes
cat >"$demo/contributor/registry/dpgs/clinic-notes.yaml" <<'YAML'
# yaml-language-server: $schema=../../schemas/dpg.schema.json
schema: dpg/v1
id: clinic-notes
name: Clinic Notes
description: Free software for small clinics. It keeps patient records on a tablet, works offline, and encrypts them with AES-256 before they are sent.
website: https://clinic-notes.example.org/
types: [software]
sectors: [health]
licenses:
  - {expression: Apache 2, url: https://clinic-notes.example.org/licence}
repositories: [{url: https://git.example.org/clinic-notes/clinic-notes}]
sdgs:
  - goal: 3
    text: Nurses in rural clinics see a patient's history during the visit.
organizations: [{name: Clinic Notes Cooperative, role: owner}]
locations:
  deployed_in: [UK, RW]
status: {stage: nominee, as_of: 2026-01-15}
sources:
  - {name: The project's own description, url: https://clinic-notes.example.org/, as_of: 2026-01-15}
YAML
git -C "$demo/contributor" add -A
git -C "$demo/contributor" commit -q -m "Add Clinic Notes"
git -C "$demo/contributor" push -q origin add-clinic-notes
show dpgbot forge open demo/forge --head add-clinic-notes --title "'Add DPG: Clinic Notes'"
"$dpgbot" forge open "$forge" --head add-clinic-notes --title "Add DPG: Clinic Notes"

step "The bot reviews it"
show dpgbot review --forge demo/forge --pr 1
status=0
"$dpgbot" review --forge "$forge" --pr 1 || status=$?
[ "$status" -eq 1 ] || fail "the review ended with exit code $status, want 1: findings"
report=$(ls "$forge"/pulls/1/comments/*/body.md)
echo
cat "$report"
findings=$(grep -c '^| ❌' "$report")
[ "$findings" -eq 2 ] || fail "the report has $findings findings, want 2"
grep -q 'license-id' "$report" || fail "the licence was not reported"
grep -q 'country' "$report" || fail "the country was not reported"

step "The contributor mends both, and the same comment changes"
sed -i.old -e 's/Apache 2/Apache-2.0/' -e 's/UK, RW/GB, RW/' "$demo/contributor/registry/dpgs/clinic-notes.yaml"
rm "$demo/contributor/registry/dpgs/clinic-notes.yaml.old"
git -C "$demo/contributor" commit -q -a -m "Mend licence and country"
git -C "$demo/contributor" push -q origin add-clinic-notes
show dpgbot review --forge demo/forge --pr 1
"$dpgbot" review --forge "$forge" --pr 1
[ "$(ls "$forge"/pulls/1/comments/*/body.md | wc -l)" -eq 1 ] || fail "there is more than one comment"
sed -n 2p "$report"

step "A maintainer merges it, with git"
git clone -q "$forge/repo.git" "$demo/maintainer"
git -C "$demo/maintainer" merge -q --no-ff -m "Merge: add Clinic Notes" origin/add-clinic-notes
git -C "$demo/maintainer" push -q origin main

step "The bot assesses what is new, proposes it, and publishes"
show dpgbot sync --forge demo/forge --publish demo/public
"$dpgbot" sync --forge "$forge" --publish "$demo/public"
"$dpgbot" forge list "$forge"

step "Doing it again changes nothing"
again=$("$dpgbot" sync --forge "$forge" --publish "$demo/public" 2>&1)
echo "$again"
case $again in *"commit "*" files to"*) fail "a second sync committed again" ;; esac

step "A maintainer merges the bot's proposals until none is left"
rounds=0
while "$dpgbot" forge list "$forge" | grep -q 'open.*dpg-bot/assess'; do
	rounds=$((rounds + 1))
	[ "$rounds" -le 20 ] || fail "the bot does not come to an end"
	git -C "$demo/maintainer" fetch -q origin
	git -C "$demo/maintainer" merge -q --no-ff -m "Merge the bot's assessments" origin/dpg-bot/assess
	git -C "$demo/maintainer" push -q origin main
	"$dpgbot" sync --forge "$forge" --publish "$demo/public" >/dev/null 2>&1
done
[ "$rounds" -gt 0 ] || fail "the bot proposed nothing"
"$dpgbot" forge list "$forge"
grep -q 'O4' "$demo/public/api/v1/dpgs/clinic-notes.json" || fail "encryption was not mapped to dpi-safeguards/O4"

grep -q "\"as_of\": \"$day\"" "$demo/public/api/v1/status.json" || fail "status.json does not say that it was judged as of $day"
if grep -q '"warnings": [1-9]' "$demo/public/api/v1/status.json"; then fail "the registry has warnings as of $day"; fi

step "What there is to look at"
cat <<EOF
demo/forge/pulls/1/             the contributor's pull request, with the bot's comment
demo/forge/pulls/2/             the bot's own, with the evidence for each mapping
demo/forge/repo.git             the repository: git clone it
demo/public/index.html          the front page
demo/public/api/v1/index.json   the catalog; start here
EOF
[ "${1:-}" = --serve ] || { echo; echo "All went as told."; exit 0; }

step "Serving the catalog; interrupt to stop"
exec "$dpg" serve --dir "$demo/public" --addr 127.0.0.1:8080
