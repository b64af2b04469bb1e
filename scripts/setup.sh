# Sourced by the other scripts: finds JDK 25, installs what a build needs, ends with one clear sentence when it can't.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$1" >&2; }
fail() {
  say "$1"
  exit 2
}

# jdk_version FOLDER: the feature release of the JDK there, read from its release file (no JVM is started).
jdk_version() { sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null || true; }

# Sets and exports JAVA_HOME to a JDK 25: the one it names, one under the usual folders, or the one on the PATH.
find_jdk() {
  local home on_path
  on_path=$(readlink -f "$(command -v javac || true)" 2>/dev/null || true)
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* /opt/jdk* "${on_path%/bin/javac}"; do
    if [[ -n "$home" && -x "$home/bin/javac" && "$(jdk_version "$home")" == 25 ]]; then
      export JAVA_HOME=$home
      return
    fi
  done
  fail "no JDK 25 in JAVA_HOME, under /usr/lib/jvm or on the PATH; install one and run this again."
}

# need COMMAND=PACKAGE ...: installs Debian's packages of the commands, or files, that are missing.
need() {
  local pair packages=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || [[ -e "${pair%%=*}" ]] || packages+=("${pair#*=}")
  done
  [[ ${#packages[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null || fail "these are missing: ${packages[*]}; install them and run this again."
  [[ $(id -u) -eq 0 ]] || fail "these are missing: ${packages[*]}; run 'sudo apt-get install ${packages[*]}' first."
  say "installing ${packages[*]}"
  local log
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } \
    >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    fail "apt-get could not install ${packages[*]}; its output is in $log."
  fi
  rm -f "$log"
}

# python_environment FOLDER REQUIREMENTS WHAT: sets python to an interpreter that has what REQUIREMENTS lists, in an
# environment of its own in FOLDER, which is made anew when the list changed.
python_environment() {
  local folder=$1 requirements=$2 what=$3 base='' candidate
  local log=$folder.log
  python=$PWD/$folder/bin/python
  mkdir -p "$(dirname "$folder")"
  # Two runs at once: the second waits, then finds nothing to do.
  exec 9>"$folder.lock"
  ! command -v flock >/dev/null || flock 9
  if ! cmp -s "$requirements" "$folder/installed.txt" || [[ ! -x "$python" ]]; then
    need python3=python3
    for candidate in python3 /usr/bin/python3; do
      if [[ -z "$base" ]] && "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then base=$candidate; fi
    done
    if [[ -z "$base" ]]; then
      need python3-venv=python3-venv
      base=/usr/bin/python3
    fi
    say "installing $what from PyPI in $folder (the first time some minutes)"
    rm -rf "$folder"
    if ! { "$base" -m venv "$folder" && "$python" -m pip install --disable-pip-version-check -r "$requirements"; } >"$log" 2>&1; then
      fail "$what could not be installed ($(grep -E '^(ERROR|Error)' "$log" | tail -n 1)); pip's output is in $log."
    fi
    cp "$requirements" "$folder/installed.txt"
  fi
  exec 9>&-
}
