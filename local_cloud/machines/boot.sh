#!/bin/sh
# Boot one machine: run as boot.py says, in new pid, mount, uts and ipc namespaces and in its network namespace.
#   boot.sh join DIRECTORY LOWER CGROUP HOSTNAME CONSOLE COMMAND…    moves into its cgroup, then goes on as
#   boot.sh boot DIRECTORY LOWER HOSTNAME CONSOLE COMMAND…           in a cgroup namespace of its own.
# COMMAND runs /sbin/init with less than all capabilities. The working directory holds the layers, so that LOWER,
# relative names joined by colons, stays short: the kernel takes one page of mount options.
set -eu
stage=$1 directory=$2 lower=$3
shift 3

if [ "$stage" = join ]; then
    echo 0 > "$1/cgroup.procs"
    shift
    exec unshare --cgroup sh "$0" boot "$directory" "$lower" "$@"
fi

hostname=$1 console=$2
shift 2
root=$directory/root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$directory/upper,workdir=$directory/work" "$root"
cd "$root"
mkdir -p proc sys dev run tmp

mount -t tmpfs -o mode=755,nosuid,strictatime tmpfs dev
for device in null zero full random urandom tty; do
    : > "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
: > dev/console
mount --bind "$console" dev/console
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp

# This machine's kernel is every machine's: its knobs are there to read, and not to turn.
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t proc -o nosuid,nodev,noexec proc proc
for path in sys sysrq-trigger irq bus; do
    if [ -e "proc/$path" ]; then
        mount --bind "proc/$path" "proc/$path"
        mount -o remount,bind,ro "proc/$path"
    fi
done

hostname "$hostname"
mkdir -p run/old
pivot_root . run/old
umount -l /run/old
rmdir /run/old
exec env -i container=bakeroll PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    "$@" /sbin/init
