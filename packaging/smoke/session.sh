#!/bin/sh
# What an ordinary user does, with the installed program; runs inside the clean system.
#   session.sh STAGE PROGRAM      STAGE: use, window, adapt, upgraded or kept
# Writes what it measures as lines "name value"; stops at the first thing that is wrong.
set -eu
stage=$1
program=$2
project=$HOME/project
out=$HOME/smoke
mkdir -p "$out"

wrong() {
    printf 'WRONG: %s\n' "$*" >&2
    exit 1
}
now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.2f", $1 - $2 }'; }
# Runs a command of the program; what it says on standard error is looked at afterwards.
run() { "$program" "$@" 2>>"$out/stderr"; }

use() {
    start=$(now)
    run --version >"$out/version"
    echo "version_seconds $(since "$start")"
    start=$(now)
    run index "$project" >"$out/index"
    echo "index_seconds $(since "$start")"
    start=$(now)
    run ask "$project" 'How does the window keep from opening a project twice?' --json >"$out/answer"
    echo "first_answer_seconds $(since "$start")"
    grep -q '"citations": *\[ *{' "$out/answer" || wrong "no citation: $(cat "$out/answer")"
    run notes add "$project" --title 'Smoke' --text 'The lock of a project is a file, not a socket.' >"$out/note"
    run notes list "$project" | grep -q Smoke || wrong 'the note is not listed'
    printf '%s\n' '--- a/hello.py' '+++ b/hello.py' '@@ -1 +1 @@' '-greeting = "hello"' '+greeting = "good day"' >"$out/patch"
    run apply "$project" "$out/patch" --yes >"$out/applied"
    grep -q 'good day' "$project/hello.py" || wrong 'the edit was not written'
    run edits undo "$project" >>"$out/applied"
    grep -q 'hello' "$project/hello.py" || wrong 'the edit was not taken back'
    run doctor >"$out/doctor" || :
}

# What is on the screen is kept for whoever looks into it.
pictured() {
    cp "$out/Xvfb_screen0" "$out/screen.xwd"
    wrong "$1"
}

# Whether the question that was typed into the window has arrived, and has got its answer.
asked() {
    run chats "$project" list --json >"$out/chats" || return 1
    chat=$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' "$out/chats" | head -n 1)
    [ -n "$chat" ] && run chats "$project" show "$chat" --json >"$out/chat" &&
        grep -q 'Which file reads' "$out/chat"
}
answered() { asked && grep -q '"role": *"assistant"' "$out/chat" && grep -q '"finish": *"[a-z]' "$out/chat"; }

window() {
    Xvfb :9 -screen 0 1280x900x24 -nolisten tcp -fbdir "$out" >"$out/xvfb" 2>&1 &
    server=$!
    trap 'kill $server 2>/dev/null || :' EXIT
    export DISPLAY=:9 XDG_RUNTIME_DIR=/tmp/reader # a session has such a folder
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    tries=0
    until xdotool getmouselocation >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || wrong 'no screen'
        sleep 0.1
    done
    start=$(now)
    "$program" "$project" 2>>"$out/stderr" &
    window=$!
    tries=0
    until id=$(xdotool search --onlyvisible --name . 2>/dev/null | tail -n 1) && [ -n "$id" ]; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || wrong 'no window'
        kill -0 $window || wrong 'the window ended'
        sleep 0.05
    done
    echo "window_seconds $(since "$start")"
    xdotool windowfocus "$id"
    tries=0
    # Keys are lost on a window that is not ready for them: then they are typed again.
    until asked; do
        tries=$((tries + 1))
        [ $tries -lt 10 ] || pictured 'the question was not asked'
        start=$(now)
        xdotool key ctrl+l key ctrl+a type --delay 20 'Which file reads the settings?'
        xdotool key Return
        sleep 5
    done
    tries=0
    until answered; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || pictured 'no answer in the window'
        kill -0 $window || wrong 'the window ended'
        sleep 1
    done
    echo "window_answer_seconds $(since "$start")"
    cp "$out/Xvfb_screen0" "$out/screen.xwd"
    xdotool windowfocus "$id"
    xdotool key ctrl+q
    status=0
    wait $window || status=$?
    [ $status = 0 ] || wrong "the window ended with status $status"
}

adapt() {
    start=$(now)
    run adapt "$project" "$project/commonplace/paths.py" --json >"$out/adapted"
    echo "adapt_seconds $(since "$start")"
    grep -q '"accepted"' "$out/adapted" || wrong "adapting told nothing: $(cat "$out/adapted")"
}

kept() {
    grep -rq 'The lock of a project' "$project/.commonplace/notes" || wrong 'the note is gone'
    [ -n "$(find "$HOME/.local/share/commonplace" -name conversations.db)" ] || wrong 'the conversations are gone'
}

upgraded() {
    kept
    run notes list "$project" | grep -q Smoke || wrong 'the note is not read any more'
    run chats "$project" list --json | grep -q 'Which file reads' || wrong 'the conversation is not read any more'
    run search "$project" 'lock of a project' >"$out/search"
}

$stage
