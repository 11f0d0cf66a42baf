#!/usr/bin/env bash
# Makes what inspector.conf names: certificates, users, and what each may do. On the broker's PC.
set -euo pipefail
umask 027

usage() {
    cat <<'TEXT'
setup.sh [--dir DIR] certificates HOST...   a CA, and a certificate for the broker's names
setup.sh [--dir DIR] line SITE LINE         a user SITE.LINE that writes below its own topic only
setup.sh [--dir DIR] dashboard NAME         a user that reads

DIR is /etc/mosquitto/inspector. `line` and `dashboard` print a new password on stdout, once, or take
the one in $PASSWORD; a user who is there already gets the new one. Tell the broker:
systemctl reload mosquitto. The CA's key (ca.key) is needed only to make certificates: keep it away
from the broker. Each line PC gets ca.crt.
TEXT
    exit 2
}

readonly DAYS_CA=7300 DAYS_SERVER=825 # years for the CA; longer than 825 some clients refuse
HERE=$(cd "$(dirname "$0")" && pwd)
readonly HERE
dir=/etc/mosquitto/inspector

fail() {
    echo "setup.sh: $1" >&2
    exit 65
}

check_name() { # as a line's file: what stands in a topic has no wildcard, slash or dot
    [[ $1 =~ ^[a-z0-9][a-z0-9_-]{0,63}$ ]] || fail "expected a-z, 0-9, - and _, found: $1"
}

own() { # FILE...: root writes, the broker reads
    if [ "$(id -u)" = 0 ] && getent group mosquitto >/dev/null; then chgrp mosquitto . "$@"; fi
    chmod 0640 "$@"
}

make_certificates() { # HOST...
    local names="" host
    for host in "$@"; do
        [[ $host =~ ^[A-Za-z0-9.:*_-]+$ ]] || fail "expected the broker's names, found: $host"
        if [[ $host =~ ^[0-9.]+$|: ]]; then names+=",IP:$host"; else names+=",DNS:$host"; fi
    done
    if [ -e ca.crt ] && [ ! -e ca.key ]; then
        fail "expected ca.key beside ca.crt: bring it back; with another CA no line would trust the broker"
    fi
    if [ ! -e ca.key ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 \
            -days $DAYS_CA -subj "/CN=Inspector CA" -keyout ca.key -out ca.crt \
            -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null || fail "no CA could be made"
    fi
    # The name is among the subjectAltNames: a CN has room for 64 characters only.
    if ! { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -subj "/CN=Inspector broker" -keyout new.key -out new.csr &&
        openssl x509 -req -in new.csr -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 \
            -days $DAYS_SERVER -out new.crt -extfile <(
                echo "subjectAltName=${names#,}"
                echo "extendedKeyUsage=serverAuth"
                echo "keyUsage=critical,digitalSignature"
            ); } 2>/dev/null; then
        fail "no certificate could be made for $*: those of before are as they were"
    fi
    rm -f new.csr
    chmod 0600 ca.key
    chmod 0644 ca.crt new.crt
    own new.key
    mv new.key server.key # together, or the broker would not start again
    mv new.crt server.crt
}

add_user() { # NAME RIGHT: a password, and what the name may do
    local password=${PASSWORD:-$(openssl rand -hex 24)}
    touch passwords
    # Not as an argument, where every user of this PC could read it.
    printf '%s\n%s\n' "$password" "$password" | mosquitto_passwd passwords "$1" >/dev/null
    [ -e acl ] || cp "$HERE/acl" acl
    grep -qxF "user $1" acl || printf '\nuser %s\ntopic %s\n' "$1" "$2" >>acl
    own passwords acl
    if [ -z "${PASSWORD:-}" ]; then echo "$password"; fi
}

if [ "${1-}" = --dir ]; then
    dir=${2:?expected a folder}
    shift 2
fi
case ${1-}:$# in
certificates:1 | :*) usage ;;
certificates:* | line:3 | dashboard:2) ;;
*) usage ;;
esac
mkdir -p "$dir"
cd "$dir"
case $1 in
certificates) make_certificates "${@:2}" ;;
line)
    check_name "$2" && check_name "$3"
    add_user "$2.$3" "readwrite inspector/v1/$2/$3/#"
    ;;
dashboard)
    check_name "$2"
    add_user "$2" "read inspector/v1/#"
    ;;
esac
