# Runs one instance or job, so that it needs no parent: claims its folder, runs the command, forwards a stop and
# escalates it, ends what the command left behind, and records how it ended.
#
#   sh shim.sh FOLDER        with the command's own environment, plus
#   EVENKEEL_COMMAND         what to run with `sh -c`
#   EVENKEEL_CGROUPS         folders of control groups to join, one a line; may be empty
#   EVENKEEL_PREFIX          `/usr/bin/env --default-signal=INT,QUIT` where it knows that, else empty
#   EVENKEEL_FILES           most files that one process has open; may be empty
#   EVENKEEL_GUEST_SCRIPT    guest.sh, which runs the command as another user; absent: as this one
#   EVENKEEL_LAUNCH          names this start among several of the same folder
#   EVENKEEL_DURABLE         1: the record of the end is flushed to the disk
#   EVENKEEL_LOCK            a file to lock before the command begins, for as long as anything of it lives; may be empty
#
# Files in FOLDER. Read: stop ("GRACE", in hundredths of a second; acted upon when TERM arrives, again for each).
# Written: claim ("PID STARTTIME BOOT LAUNCH"), main (pid of the command), stopping (the stop is under way), ending (the
# command ended, others live on), fate (what the shell says about the command's death), end (one JSON object).
#
# Everything is a function and leaves by exit: the shell has read all of it before the first command runs, so that
# replacing this file (an update) cannot change a running one. Names start with ek_, because assigning to a name that
# the service's environment uses would change it for the service.

# Sets ek_others to the living processes of this instance but for this shell, and ek_outside to those of them that
# left the process group. A control group knows its members; without one it takes the session and, for whatever left
# that too, the mark in the environment.
ek_find() {
  ek_others='' ek_outside='' ek_candidates=''
  if [ -n "$ek_cgroups" ] && [ ! -e "$ek_dir/unlimited" ]; then
    while read -r ek_pid; do
      ek_candidates="$ek_candidates $ek_pid"
    done <"${ek_cgroups%%
*}/cgroup.procs"
  else
    for ek_file in /proc/[0-9]*/stat; do
      read -r ek_stat <"$ek_file" || continue
      ek_rest=${ek_stat##*) }
      # shellcheck disable=SC2086
      set -- $ek_rest
      if [ "$3" = "$$" ] || [ "$4" = "$$" ]; then ek_candidates="$ek_candidates ${ek_stat%% *}"; fi
    done
    for ek_file in $(EVENKEEL_FOLDER='' grep -slzxF -- "EVENKEEL_FOLDER=$ek_dir" /proc/[0-9]*/environ); do
      ek_pid=${ek_file#/proc/}
      ek_pid=${ek_pid%/environ}
      case " $ek_candidates " in *" $ek_pid "*) ;; *) ek_candidates="$ek_candidates $ek_pid" ;; esac
    done
  fi
  for ek_pid in $ek_candidates; do
    [ "$ek_pid" != "$$" ] && read -r ek_stat <"/proc/$ek_pid/stat" || continue
    # shellcheck disable=SC2086
    set -- ${ek_stat##*) }
    case $1 in Z | X) continue ;; esac
    ek_others="$ek_others $ek_pid"
    [ "$3" = "$$" ] || ek_outside="$ek_outside $ek_pid"
  done
}

# SIGTERM once to everybody: to the group at one stroke (this shell takes it by its trap), and to those who left it.
ek_terminate() {
  ek_find
  kill -TERM 0
  for ek_pid in $ek_outside; do kill -TERM "$ek_pid"; done
}

# SIGKILL to everybody but this shell, which still has to write the record.
ek_kill() {
  ek_find
  for ek_pid in $ek_others; do kill -KILL "$ek_pid"; done
}

# Sets ek_clock to hundredths of a second since the boot.
ek_now() {
  read -r ek_up ek_idle </proc/uptime
  ek_up=${ek_up%.*}${ek_up#*.}
  ek_clock=${ek_up#0}
}

ek_nap() { sleep 0.05 || sleep 1; }

# Sets ek_words to the arguments of a process, run together.
ek_look_at() {
  ek_words=''
  read -r ek_words <"/proc/$1/cmdline"
}

# On SIGTERM. Without a stop file the signal came from somebody else, who sent it to the whole group, or has to.
ek_stop() {
  ek_trapped=1 ek_grace=''
  read -r ek_grace <"$ek_dir/stop" || return 0
  ek_now
  ek_deadline=$((ek_clock + ek_grace))
  case $ek_stopping in
    1) return 0 ;; # asked once more while stopping, perhaps with less patience
    *) ek_main=$! ek_stopping=early ;;
  esac
  [ -n "$ek_main" ] || return 0 # the command is not there yet; ek_run looks again
  ek_stopping=1
  true >"$ek_dir/stopping"
  # As long as the child is a copy of this shell it has this shell's handler, and would lose the signal when it
  # becomes the command.
  ek_look_at $$
  ek_mine=$ek_words
  while
    ek_look_at "$ek_main"
    [ "$ek_words" = "$ek_mine" ]
  do sleep 0.01 || sleep 1; done
  ek_terminate
  while kill -0 "$ek_main"; do
    ek_now
    [ "$ek_clock" -lt "$ek_deadline" ] || ek_kill
    ek_nap
  done
}

ek_run() {
  ek_dir=$1
  ek_command=$EVENKEEL_COMMAND ek_cgroups=$EVENKEEL_CGROUPS ek_prefix=$EVENKEEL_PREFIX ek_durable=$EVENKEEL_DURABLE
  ek_launch=$EVENKEEL_LAUNCH ek_lock=$EVENKEEL_LOCK ek_files=$EVENKEEL_FILES ek_guest=$EVENKEEL_GUEST_SCRIPT
  unset EVENKEEL_COMMAND EVENKEEL_CGROUPS EVENKEEL_PREFIX EVENKEEL_DURABLE EVENKEEL_LAUNCH EVENKEEL_FILES IFS
  unset EVENKEEL_GUEST_SCRIPT EVENKEEL_LOCK
  ek_path=$PATH
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$ek_path
  ek_stopping='' ek_deadline='' ek_main='' ek_cut='' ek_oom=0
  exec 9>&2 2>/dev/null # what the tools below complain about is not the service's output
  ulimit -c 0            # a core dump would hold the secrets of the environment

  # From here on signals to the group find this shell prepared; they are reset for the command.
  trap ek_trapped=1 HUP INT QUIT USR1 USR2 PIPE ALRM
  trap ek_stop TERM

  # The claim: created by exactly one, whoever else starts the same folder. It names the process in the same breath.
  read -r ek_boot </proc/sys/kernel/random/boot_id
  read -r ek_stat <"/proc/$$/stat"
  # shellcheck disable=SC2086
  set -- ${ek_stat##*) }
  set -C
  printf '%s %s %s %s\n' "$$" "${20}" "$ek_boot" "$ek_launch" >"$ek_dir/claim" || exit 1
  set +C

  # Room for the records is taken now: the disk may be full when they are needed.
  printf '%-255s\n' '' >"$ek_dir/end.tmp"
  printf '%-127s\n' '' >"$ek_dir/stop.tmp"
  true >"$ek_dir/fate" && exec 8>"$ek_dir/fate" || exec 8>/dev/null

  # The command inherits the lock: it is free again when the last process that has it is gone, however it went.
  if [ -n "$ek_lock" ] && command -v flock >/dev/null && true >>"$ek_lock" && exec 7>>"$ek_lock"; then
    while [ -z "$ek_stopping" ]; do
      flock -n 7
      [ "$?" = 1 ] || break
      ek_nap
    done
  fi

  if [ -z "$ek_stopping" ]; then
    (
      for ek_group in $ek_cgroups; do
        echo 0 >"$ek_group/cgroup.procs" || true >"$ek_dir/unlimited"
      done
      [ -z "$ek_files" ] || ulimit -n "$ek_files" || true >"$ek_dir/unlimited-files"
      ek_unshare=$(command -v unshare)
      PATH=$ek_path
      exec 2>&9 8>&- 9>&-
      # shellcheck disable=SC2086
      if [ -n "$ek_guest" ]; then
        exec $ek_prefix "$ek_unshare" --mount --propagation private /bin/sh "$ek_guest" "$ek_command"
      fi
      # A shell without job control starts commands in the background deaf to INT and QUIT; the prefix undoes it.
      # shellcheck disable=SC2086
      exec $ek_prefix /bin/sh -c "$ek_command"
    ) &
    ek_main=$!
    printf '%s\n' "$ek_main" >"$ek_dir/main"
    if [ "$ek_stopping" = early ]; then ek_stop; fi
  fi
  exec 9>&-

  # A trap cuts `wait` short, with a code above 128: then it is asked again, and 127 says that it had been the real one.
  # What the shell itself says about a death ("Killed") tells it from an exit code above 128.
  ek_code=143 # stopped before it began
  [ -z "$ek_main" ] || while :; do
    ek_trapped=''
    wait "$ek_main" 2>&8
    ek_got=$?
    if [ -n "$ek_cut" ] && [ "$ek_got" = 127 ]; then break; fi
    ek_code=$ek_got ek_cut=$ek_trapped
    if [ -z "$ek_cut" ] || [ "$ek_code" -le 128 ]; then break; fi
  done

  # Nothing of it may live on: it would hold the port and the data of whatever comes next.
  ek_find
  if [ -n "$ek_others" ]; then
    true >"$ek_dir/ending"
    if [ -z "$ek_stopping" ]; then
      ek_now
      ek_deadline=$((ek_clock + 200))
      ek_terminate
      ek_find
    fi
  fi
  while [ -n "$ek_others" ]; do
    ek_now
    [ "$ek_clock" -lt "$ek_deadline" ] || ek_kill
    ek_nap
    ek_find
  done

  for ek_group in $ek_cgroups; do
    for ek_file in "$ek_group/memory.oom_control" "$ek_group/memory.events"; do
      [ -r "$ek_file" ] || continue
      while read -r ek_key ek_value; do
        if [ "$ek_key" = oom_kill ]; then ek_oom=$ek_value; fi
      done <"$ek_file"
    done
  done
  [ "$ek_oom" = 0 ] || echo "evenkeel: the memory limit was reached, and the kernel killed what held most"
  ek_stopped=false ek_said=''
  [ -z "$ek_stopping" ] || ek_stopped=true
  read -r ek_said <"$ek_dir/fate"
  ek_signalled=false
  case $ek_code in
    130 | 141) ek_signalled=true ;; # of INT and PIPE the shell says nothing
    137 | 143) [ -z "$ek_stopping" ] || ek_signalled=true ;; # nor when it noticed the death between two naps
  esac
  if [ -n "$ek_said" ] || [ -z "$ek_main" ]; then ek_signalled=true; fi
  printf '%-255s\n' "{\"code\":$ek_code,\"signalled\":$ek_signalled,\"stopped\":$ek_stopped,\"oom\":$ek_oom}" \
    1<>"$ek_dir/end.tmp"
  [ "$ek_durable" != 1 ] || sync "$ek_dir/end.tmp"
  mv -f "$ek_dir/end.tmp" "$ek_dir/end"
  # shellcheck disable=SC2086
  [ -z "$ek_cgroups" ] || rmdir $ek_cgroups
  exit 0
}

ek_run "$1"
