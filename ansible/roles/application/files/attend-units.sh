# Check that each instance starts the package, and give its services the variables that say which instance they run on.
# Arguments: the package's name and version, the port of deploy.yml.

name=$1 version=$2 port=$3

units=$(dpkg-query --listfiles "$name" | sed -nE \
    -e 's,^(/usr)?/lib/systemd/system/([^/]+\.(service|socket|timer|path|target))$,\2,p' \
    -e 's,^/etc/systemd/system/([^/]+\.(service|socket|timer|path|target))$,\1,p' \
    -e 's,^/etc/init\.d/([^/]+)$,\1.service,p' | sort -u | tr '\n' ' ')

enabled=
for unit in $units; do
    case $(systemctl is-enabled "$unit" 2>/dev/null) in
        enabled | indirect | generated) enabled=$unit ;;
    esac
    case $unit in
        *.service) ;;
        *) continue ;;
    esac
    # Regardless of the unit's own settings, it starts when the instance knows its identity, and its end is reported on
    # the console, which can be read from outside.
    mkdir -p "/etc/systemd/system/$unit.d"
    cat > "/etc/systemd/system/$unit.d/instance.conf" <<END
[Unit]
Wants=instance-identity.service
After=instance-identity.service

[Service]
EnvironmentFile=-/run/instance.env
Environment=APPLICATION_VERSION=$version
Environment=PORT=$port
ExecStopPost=-+/usr/local/sbin/service-ended %n
END
done

if [ -z "$enabled" ]; then
    echo "no enabled unit of the package $name: no instance would start it. Its units: ${units:-none}" >&2
    echo "Give debian/$name.service [Install] with WantedBy=multi-user.target; dh_installsystemd then enables it" >&2
    exit 1
fi
