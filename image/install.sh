#!/bin/sh
# install DESTDIR PREFIX: binary, systemd unit, example configuration; on the running system also the service user.
# An existing configuration is never overwritten. Nothing is started: the last lines say how.
set -eu
dest=$1 prefix=$2
bin=$prefix/bin/hearth

install -D -m 0755 build/hearth "$dest$bin"
if [ -e "$dest/etc/hearth/hearth.conf" ]; then
    install -m 0644 image/hearth.conf "$dest/etc/hearth/hearth.conf.example"
else
    install -D -m 0644 image/hearth.conf "$dest/etc/hearth/hearth.conf"
fi

groups=
for group in video render; do # a group the system lacks would keep the service from starting
    if [ -n "$dest" ] || getent group $group >/dev/null; then
        groups="$groups$group "
    fi
done
mkdir -p "$dest/etc/systemd/system"
sed -e "s#@BIN@#$bin#" -e "s#@GROUPS@#${groups% }#" image/hearth.service >"$dest/etc/systemd/system/hearth.service"
chmod 0644 "$dest/etc/systemd/system/hearth.service"

if [ -n "$dest" ]; then
    mkdir -p "$dest/usr/lib/sysusers.d"
    echo 'u hearth - "Hearth" /var/lib/hearth' >"$dest/usr/lib/sysusers.d/hearth.conf"
    echo "installed under $dest; systemd-sysusers makes the user at the first start"
    exit 0
fi
if ! getent passwd hearth >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/hearth --no-create-home --shell /usr/sbin/nologin hearth
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
echo "installed $bin and /etc/hearth/hearth.conf"
echo "start it:   systemctl enable --now hearth"
echo "make a key: sudo -u hearth $bin key add NAME"
