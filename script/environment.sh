# Sourced by the other scripts, with the project's root as working directory.
# Makes environments from lock files: anew when the lock changes, else not at all.

VENV=.venv
CACHE=.cache

fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 1
}

# Prints the command of a Python that the project supports.
find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do
    if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
      >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "no ${PYTHON:-Python 3.11 or newer} with the venv and ensurepip modules was found; install it (on Debian with python3-venv) or set PYTHON to its command."
}

# A finished environment keeps a copy of each lock that it was made from.
is_made() { # directory, lock
  cmp -s "$1/made-from-${2##*/}" "$2"
}

mark_made() { # directory, lock
  cp "$2" "$1/made-from-${2##*/}"
}

ensure_venv() { # directory, lock
  local directory=$1 lock=$2 python
  is_made "$directory" "$lock" && [ -x "$directory/bin/python" ] && return
  printf 'Installing %s into %s\n' "$lock" "$directory" >&2
  rm -f "$directory/made-from-${lock##*/}"
  if ! "$directory/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python) || exit 1
    "$python" -m venv --clear "$directory" || fail "$python could not make $directory."
  fi
  "$directory/bin/python" -m pip install --quiet --disable-pip-version-check \
    --requirement "$lock" >&2 || fail "pip could not install $lock."
  mark_made "$directory" "$lock"
}

# Prints the command of a Python 2.7, in which only the Autobahn Testsuite runs.
find_python2() {
  local candidate
  for candidate in ${PYTHON2:-python2.7 "$HOME"/.pyenv/versions/2.7.*/bin/python2.7}; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  fail "no Python 2.7 with pip was found; install one, or set PYTHON2 to its command."
}

ensure_python2_packages() { # directory, lock
  local directory=$1 lock=$2 python
  is_made "$directory" "$lock" && return
  python=$(find_python2) || exit 1
  printf 'Installing %s into %s\n' "$lock" "$directory" >&2
  rm -rf "$directory"
  "$python" -m pip install --quiet --disable-pip-version-check \
    --target "$directory" --requirement "$lock" >&2 || fail "pip could not install $lock."
  # A namespace of Python 2 that pip makes for site-packages only.
  touch "$directory/zope/__init__.py"
  ln -s "$python" "$directory/python2.7"
  mark_made "$directory" "$lock"
}

ensure_node_modules() { # directory, the directory of package.json and its lock
  local directory=$1 source=$2
  is_made "$directory" "$source/package-lock.json" && return
  command -v npm >/dev/null 2>&1 || fail "npm is needed and was not found; install Node.js."
  printf 'Installing %s into %s\n' "$source" "$directory" >&2
  rm -rf "$directory"
  mkdir -p "$directory"
  cp "$source/package.json" "$source/package-lock.json" "$directory/"
  # From within: npm takes a directory behind a link for another package.
  (cd "$directory" && npm ci --no-audit --no-fund --loglevel=error >&2) ||
    fail "npm could not install $source."
  mark_made "$directory" "$source/package-lock.json"
}

# Installs the Debian packages of those commands that are missing, if we may.
ensure_packages() { # command:package ...
  local pair missing=() found
  # Debian keeps daemons where only root looks, and PostgreSQL where nobody does.
  found="$PATH:/usr/sbin:/sbin$(printf ':%s' /usr/lib/postgresql/*/bin)"
  for pair in "$@"; do
    PATH="$found" command -v "${pair%%:*}" >/dev/null ||
      missing+=("${pair##*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    fail "what the Debian packages ${missing[*]} hold is needed and was not found; install them."
  fi
  printf 'Installing %s\n' "${missing[*]}" >&2
  apt-get update --quiet=2 >&2 || fail "apt-get could not update its lists."
  without_starting apt-get install --quiet=2 --yes --no-install-recommends \
    "${missing[@]}" >&2 || fail "apt-get could not install ${missing[*]}."
}

# Runs an installation that starts none of the services that it installs: we run
# our own, on ports of their own.
without_starting() ( # command, argument ...
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  DEBIAN_FRONTEND=noninteractive "$@"
)
