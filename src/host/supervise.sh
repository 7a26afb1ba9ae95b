#!/bin/sh
# Keeps the processes of one cluster running: `supervise.sh supervise STATE_FOLDER ROLE...`
#
# The first role starts at once, the others when a line "go" comes in: what they run in is made meanwhile. Without that
# line (whoever wanted to send it has died) all ends again.
#
# A shell and not Node: it waits for its whole life, and must cost no memory while it does. Each role is run by a loop of
# its own. A role's command stands in STATE_FOLDER/run/ROLE.argv, one argument a line, and is never parsed by the shell.
cd /
state=$2
shift 2

keep() {
  role=$1
  child=
  trap 'kill -TERM "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 0' TERM
  set -- 0.1 0.2 0.4 0.8 1.6 3.2 5
  while :; do
    read -r begun idle </proc/uptime
    run_once "$role" &
    child=$!
    wait "$child"
    child= # its number may be another process's from here on
    read -r ended idle </proc/uptime
    if [ $((${ended%.*} - ${begun%.*})) -ge 10 ]; then set -- 0.1 0.2 0.4 0.8 1.6 3.2 5; fi
    echo "$(date -u +%FT%TZ) info supervise: $role ended, starting it again in $1 s" >>"$state/log/supervise.log"
    sleep "$1" &
    child=$!
    wait "$child"
    child=
    if [ $# -gt 1 ]; then shift; fi
  done
}

run_once() {
  trap - TERM
  log=$state/log/$1.log
  file=$state/run/$1.argv
  set --
  while IFS= read -r argument; do set -- "$@" "$argument"; done <"$file"
  exec setsid "$@" >>"$log" 2>&1 </dev/null
}

# A loop that was killed is gone, and its number may be another process's: who is not our child is left alone.
end_loops() {
  for loop in $loops; do
    if read -r stat <"/proc/$loop/stat"; then
      set -- ${stat##*) }
      if [ "$2" = $$ ]; then kill -TERM "$loop"; fi
    fi
  done 2>/dev/null
}

loops=
trap 'end_loops; wait; exit 0' TERM
keep "$1" &
loops=$!
shift
read -r word
if [ "$word" != go ]; then
  end_loops
  wait
  exit 1
fi
exec </dev/null
for role; do
  keep "$role" &
  loops="$loops $!"
done
wait
