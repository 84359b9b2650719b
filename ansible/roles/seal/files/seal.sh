# Remove what an image must not hold: keys and ids of one machine, and what the bake has left.
# Argument: "keep" or "drop" the archive's package lists. A base image keeps them in another folder. An application's
# dependencies can then be found without another request to the archive. But apt takes long to read them.

lists=$1

rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed

if [ -d /var/lib/cloud ]; then
    cloud-init clean --logs --seed
fi

apt-get clean
if [ "$lists" = keep ]; then
    mkdir -p /var/lib/apt/base-lists
    find /var/lib/apt/lists -maxdepth 1 -type f ! -name lock -exec mv -t /var/lib/apt/base-lists {} +
else
    rm -rf /var/lib/apt/base-lists /var/lib/apt/lists/*
fi
find /var/log -type f -exec truncate --size=0 {} +
rm -rf /var/log/journal/* /var/lib/dhcp/*
# Everything except the module that runs this script.
find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'ansible_*' -exec rm -rf {} +
rm -rf /root/.ansible /root/.bash_history /root/.cache /home/*/.ansible /home/*/.bash_history /home/*/.cache
