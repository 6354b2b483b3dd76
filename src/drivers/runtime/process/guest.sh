# Becomes a service's command as its own user, in a mount namespace in which nothing of evenkeel's home is but the folders
# that belong to it. Run by shim.sh as root, below `unshare --mount`.
#
#   sh guest.sh COMMAND         with the command's own environment, plus
#   EVENKEEL_GUEST              "UID GID"
#   EVENKEEL_GUEST_STAGE        an empty folder, for the moment of putting it together
#   EVENKEEL_GUEST_HIDE         the folder that is hidden: the outermost one that others may not enter
#   EVENKEEL_GUEST_FOLDERS      folders below it that stay, one a line
#   EVENKEEL_LATE               names of variables that a program of root must not see; each lies in EVENKEEL_LATE_NAME
#
# Ends with 126 and says why when it cannot: a command never runs with more than it should have.

ek_refuse() {
  echo "evenkeel: $1; it was not started" >&2
  exit 126
}

ek_become() {
  ek_command=$1 ek_path=$PATH ek_cwd=$PWD
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  ek_stage=$EVENKEEL_GUEST_STAGE ek_hide=$EVENKEEL_GUEST_HIDE
  ek_uid=${EVENKEEL_GUEST% *} ek_gid=${EVENKEEL_GUEST#* }
  mount -t tmpfs -o mode=0755,size=1m,nr_inodes=4k evenkeel "$ek_stage" || ek_refuse "no file system could be mounted"
  while IFS= read -r ek_folder; do
    [ -n "$ek_folder" ] || continue
    ek_there=$ek_stage/${ek_folder#"$ek_hide"/}
    mkdir -p "$ek_there" && mount --bind "$ek_folder" "$ek_there" || ek_refuse "$ek_folder could not be mounted"
  done <<ek_end
$EVENKEEL_GUEST_FOLDERS
ek_end
  mount --move "$ek_stage" "$ek_hide" || ek_refuse "$ek_hide could not be hidden"
  # Into the folder as it is seen from here; where this process stood is outside of what it may see.
  cd "$ek_cwd" || ek_refuse "$ek_cwd cannot be entered"
  unset EVENKEEL_GUEST EVENKEEL_GUEST_STAGE EVENKEEL_GUEST_HIDE EVENKEEL_GUEST_FOLDERS
  set -- setpriv "--reuid=$ek_uid" "--regid=$ek_gid" --clear-groups --no-new-privs --inh-caps=-all --ambient-caps=-all \
    --bounding-set=-all
  if [ -n "$EVENKEEL_LATE" ]; then
    # shellcheck disable=SC2016
    set -- "$@" /bin/sh -c 'for ek_name in $EVENKEEL_LATE; do
      eval "export $ek_name=\"\$EVENKEEL_LATE_$ek_name\""
      unset "EVENKEEL_LATE_$ek_name"
    done
    unset EVENKEEL_LATE ek_name
    exec /bin/sh -c "$0"' "$ek_command"
  else
    unset EVENKEEL_LATE
    set -- "$@" /bin/sh -c "$ek_command"
  fi
  command -v setpriv >/dev/null || ek_refuse "there is no setpriv (util-linux)"
  ek_setpriv=$(command -v setpriv)
  shift
  PATH=$ek_path
  exec "$ek_setpriv" "$@"
}

ek_become "$1"
