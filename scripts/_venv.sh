# Sourced by the scripts beside it, in the root of the checkout: makes .venv with any CPython >= 3.11.
unset PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK=1

# pyenv's shims may refuse a version that is installed but not selected: name each one's own folder instead.
for bin in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-9].*[0-9]/bin; do
    [ ! -x "$bin/python3" ] || PATH=$bin:$PATH
done
export PATH

find_python() {
    for python in python3 python3.11 python3.12 python3.13 python3.14; do
        if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "No CPython >= 3.11 with the venv module found on PATH or in pyenv." >&2
    return 1
}

# install_once NAME PIP-ARGUMENT...: installs into .venv, again only when setup.cfg has changed.
install_once() {
    stamp=.venv/$1.installed
    shift
    if ! .venv/bin/python -c '' 2>/dev/null; then
        python=$(find_python)
        "$python" -m venv --clear .venv
    fi
    cmp -s setup.cfg "$stamp" && return
    .venv/bin/python -m pip install --quiet "$@"
    cp setup.cfg "$stamp"
}
