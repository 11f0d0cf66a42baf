#!/usr/bin/env bash
# Puts the inspector on a line PC; without a network, from the wheels beside this script.
set -euo pipefail
umask 022 # the line's user reads what root installs; what is for few says so itself

usage() {
    cat <<'TEXT'
install.sh [install] [--wheelhouse DIR] [--python PROGRAM]   install, or upgrade to this version
install.sh rollback                                          back to the version before
install.sh uninstall [--purge]                               --purge: lines, results and user too

Versions lie in /opt/inspector/VERSION and /opt/inspector/current points to the one in force.
Lines (/etc/inspector) and results (/var/lib/inspector) stay whatever is installed, rolled back or
uninstalled; only --purge deletes them. Lines that run are restarted with the new version; if one
does not come up again, the version before is put back.
Exit codes: 0 done, 2 usage, 65 bad wheels, 66 no wheels, 70 the lines do not come up, 77 not root.
TEXT
}

readonly OPT=/opt/inspector ETC=/etc/inspector STATE=/var/lib/inspector CACHE=/var/cache/inspector
readonly UNIT=inspector@.service UNITS=/etc/systemd/system COMMAND=/usr/local/bin/inspector
readonly ACCOUNT=inspector KEPT="unit" # KEPT: what a version carries beside its environment
HERE=$(cd "$(dirname "$0")" && pwd)
readonly HERE
wheelhouse=$HERE/wheelhouse
python=python3
purge=

fail() { # CODE TEXT
    echo "install.sh: $2" >&2
    exit "$1"
}

say() { echo "install.sh: $1"; }

has_systemd() { [ -d /run/systemd/system ]; }

version_of() { # LINK: the version that it points to, nothing where there is none
    if [ -L "$OPT/$1" ]; then readlink "$OPT/$1"; fi
}

point() { # LINK VERSION: in one step, so that a power cut leaves the old or the new one
    ln -sfn "$2" "$OPT/.$1"
    mv -T "$OPT/.$1" "$OPT/$1"
}

running() { # the lines that run
    if has_systemd; then
        systemctl list-units --plain --no-legend --state=active,activating,reloading \
            'inspector@*.service' | cut -d' ' -f1
    fi
}

activate() { # VERSION: it is in force from the next start of a line on
    install -m 0644 "$OPT/$1/$KEPT" "$UNITS/$UNIT"
    point current "$1"
    if has_systemd; then systemctl daemon-reload; fi
}

restart() { # LINE...: false if one does not come up
    local line good=0
    for line in "$@"; do
        say "restarting $line"
        if ! systemctl restart "$line"; then
            systemctl --no-pager --lines=5 status "$line" || true
            good=1
        fi
    done
    return $good
}

switch() { # VERSION: to it, and back if the lines do not live with it
    local before lines
    before=$(version_of current)
    mapfile -t lines < <(running)
    activate "$1"
    if [ "$before" != "$1" ] && [ -n "$before" ]; then point previous "$before"; fi
    if restart "${lines[@]}"; then return; fi
    if [ -z "$before" ] || [ "$before" = "$1" ]; then fail 70 "the lines do not come up"; fi
    activate "$before"
    restart "${lines[@]}" || true
    fail 70 "the lines do not come up with $1: $before is in force again"
}

make_account() {
    getent group video >/dev/null || groupadd --system video
    getent passwd "$ACCOUNT" >/dev/null || useradd --system --user-group --no-create-home \
        --home-dir "$STATE" --shell /usr/sbin/nologin "$ACCOUNT"
    usermod --append --groups video "$ACCOUNT" # the group that may use cameras
}

make_folders() {
    install -d -m 0755 "$OPT"
    # What root writes here, as calibrations, belongs to the group, so that the line can read it.
    install -d -m 2750 -o root -g "$ACCOUNT" "$ETC" "$ETC/secrets"
    install -d -m 2770 -o root -g "$ACCOUNT" "$ETC/lines" # the page adds calibrations, too
    install -d -m 0750 -o "$ACCOUNT" -g "$ACCOUNT" "$STATE"
    install -m 0640 -o root -g "$ACCOUNT" "$HERE/line.example.yaml" "$ETC/line.example.yaml"
}

find_version() { # of the wheels
    local found=("$wheelhouse"/scratch_inspector-*.whl) name
    [ -e "${found[0]}" ] || fail 66 "expected wheels in $wheelhouse, found no scratch_inspector-*.whl"
    [ ${#found[@]} = 1 ] || fail 65 "expected one scratch_inspector-*.whl in $wheelhouse, found ${#found[@]}"
    name=$(basename "${found[0]}")
    name=${name#scratch_inspector-}
    echo "${name%%-*}"
}

build() { # VERSION: its folder is made once, and used only when it is whole
    local folder=$OPT/$1 wheels
    wheels=$(cd "$wheelhouse" && sha256sum -- *.whl)
    if [ -e "$folder/.wheels" ]; then
        [ "$(cat "$folder/.wheels")" = "$wheels" ] && return
        fail 65 "$1 is installed from other wheels: expected another version, or uninstall it first"
    fi
    case $("$python" -c 'import sys; print(sys.base_prefix)') in
    /home/* | /root/* | /run/user/*)
        fail 65 "expected a Python for all users, found one in a home folder: use --python"
        ;;
    esac
    rm -rf "$folder"
    "$python" -m venv "$folder" || fail 65 "expected $python with venv: install python3-venv"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --no-index --no-cache-dir \
        --find-links "$wheelhouse" "scratch-inspector==$1" ||
        fail 65 "expected wheels for this Python ($("$python" -V)) and machine ($(uname -m))"
    setpriv --reuid "$ACCOUNT" --regid "$ACCOUNT" --init-groups \
        "$folder/bin/inspector" --version >/dev/null ||
        fail 65 "expected that the user $ACCOUNT can run $folder/bin/inspector"
    install -m 0644 "$HERE/$UNIT" "$folder/$KEPT"
    sync -f "$folder"
    echo "$wheels" >"$folder/.wheels"
}

drop_old() { # all but the version in force and the one before
    local folder current previous
    current=$(version_of current)
    previous=$(version_of previous)
    for folder in "$OPT"/*/; do
        folder=$(basename "$folder")
        case $folder in "$current" | "$previous" | current | previous) continue ;; esac
        rm -rf "${OPT:?}/$folder"
    done
}

do_install() {
    local version
    version=$(find_version)
    make_account
    make_folders
    build "$version"
    switch "$version"
    ln -sfn "$OPT/current/bin/inspector" "$COMMAND"
    drop_old
    say "$version is in force"
    say "next: cp $ETC/line.example.yaml $ETC/lines/line1.yaml, edit it, then"
    say "      inspector doctor --line line1 && systemctl enable --now inspector@line1"
}

do_rollback() {
    local version
    version=$(version_of previous)
    [ -n "$version" ] || fail 66 "expected a version before the one in force, found none"
    switch "$version"
    say "$version is in force"
}

do_uninstall() {
    if has_systemd; then
        local line
        while read -r line; do
            systemctl disable --quiet --now "$line"
        done < <({ running; systemctl list-unit-files --plain --no-legend --state=enabled \
            'inspector@*.service' | cut -d' ' -f1; } | grep -v '^inspector@\.service$' | sort -u)
    fi
    rm -f "$UNITS/$UNIT" "$COMMAND"
    rm -rf "$OPT" "$CACHE"
    if has_systemd; then systemctl daemon-reload; fi
    if [ -z "$purge" ]; then
        say "uninstalled; $ETC and $STATE are as they were"
        return
    fi
    rm -rf "$ETC" "$STATE" "$UNITS"/inspector@*.service.d
    if getent passwd "$ACCOUNT" >/dev/null; then userdel "$ACCOUNT"; fi
    say "uninstalled, with lines, results and the user $ACCOUNT"
}

action=install
case ${1-} in
install | rollback | uninstall)
    action=$1
    shift
    ;;
esac
while [ $# -gt 0 ]; do
    case $action:$1 in
    *:-h | *:--help)
        usage
        exit
        ;;
    install:--wheelhouse) wheelhouse=${2:?expected a folder} && shift ;;
    install:--python) python=${2:?expected a program} && shift ;;
    uninstall:--purge) purge=yes ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || fail 77 "expected root, found $(id -un): use sudo"
"do_$action"
