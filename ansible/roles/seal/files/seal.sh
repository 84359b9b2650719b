# What an image must not hold: keys and ids that are one machine's own, and what the bake has left.
# Argument: "keep" or "drop" the package lists. A base image keeps them: with them a package's dependencies
# are found without asking the archive again.

lists=$1

rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed

if [ -d /var/lib/cloud ]; then
    cloud-init clean --logs --seed
fi

apt-get clean
if [ "$lists" = drop ]; then
    rm -rf /var/lib/apt/lists/*
fi
find /var/log -type f -exec truncate --size=0 {} +
rm -rf /var/log/journal/* /var/lib/dhcp/*
# All but the module that runs this very script.
find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'ansible_*' -exec rm -rf {} +
rm -rf /root/.ansible /root/.bash_history /root/.cache /home/*/.ansible /home/*/.bash_history /home/*/.cache
