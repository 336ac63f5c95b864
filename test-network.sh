#!/usr/bin/env bash
# One door to StrokeShare on a development machine: it installs and builds what is missing, then hands over to the
# command line that does the work, on the Node version that the project pins.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'EOF'
Usage: ./test-network.sh VERB [flags]

The main job
  demo [--keep]     four hospitals, a collective key, three questions on 19,435 patients (about two minutes)
  test [jest args]  install what is missing, build, run all tests

A development network of Hyperledger Fabric, without Docker and without binaries
  up                start the network      (--orgs N, -c CHANNEL; -ca: identities from Fabric CA, where it is found)
  createChannel     add a channel          (-c CHANNEL)
  deployCC          deploy a chaincode     (-ccn NAME -ccp FOLDER -ccl typescript|javascript)
  cc                list, invoke, query or package a chaincode
  status, logs      what runs, and what it says
  stop              stop the network and keep its ledger; up goes on with it
  down              stop the network and the demo, and remove everything they made
  restart           down, then up
  prereq            install and build only

The same with real Fabric peers and orderers, where their binaries are on PATH or in FABRIC_BIN_DIR
  up --backend native [-bft] [--peers N] [-ca]
  demo --backend native
  addInstitution, removeInstitution, admin, certificates

On a network that runs already
  demo --backend existing --profiles FOLDER
  profiles          write such a folder for the network that runs here (--out FOLDER)

Without a verb, or with -h: this text. "VERB -h" shows a verb's flags.
EOF
}

die() {
  printf '%s\n' "$1" >&2
  exit 1
}

readonly verb="${1:-}"
[ $# -gt 0 ] && shift
case "$verb" in
  '' | -h | --help | help) usage && exit 0 ;;
  demo | test | prereq | up | createChannel | deployCC | deployCCAAS | cc | status | logs | stop | down | restart) ;;
  addInstitution | removeInstitution | admin | profiles | certificates) ;;
  *) die "Unknown verb '$verb'; run ./test-network.sh -h for the list." ;;
esac

# --- install ---------------------------------------------------------------------------------------------------
command -v node >/dev/null || die 'Node is not installed; install Node 20.11 or newer (with npm) and run this again.'
command -v npm >/dev/null || die 'npm is not installed; it comes with Node. Install it and run this again.'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 11) ? 0 : 1)' ||
  die "Node $(node --version) is too old to install the project; install Node 20.11 or newer and run this again."

readonly stamp=node_modules/.strokeshare-installed
if ! cmp -s package-lock.json "$stamp"; then
  # Anything but the lockfile's exact versions would not be what was tested.
  echo 'Installing the packages that package-lock.json names ...' >&2
  npm ci --no-audit --no-fund --loglevel=error >&2 ||
    die 'npm could not install the packages; its message is above. Check the network and the free disk space, then run this again.'
  cp package-lock.json "$stamp"
fi

# The pinned runtime goes first on PATH, so that whatever Node the machine has, Node 24 does the work.
export PATH="$PWD/node_modules/.bin:$PATH"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 24 || (a === 24 && b >= 15) || (a === 22 && b >= 19) ? 0 : 1)' ||
  die "Node $(node --version) cannot run node-seal 7 and no pinned runtime exists for this platform; install Node 24.15 or newer."

# Blobs of a megabyte come and go. glibc would keep what is freed; with fixed limits it goes back to the system.
export MALLOC_MMAP_THRESHOLD_=131072 MALLOC_ARENA_MAX=2

# --- build and run ---------------------------------------------------------------------------------------------
if [ "$verb" = test ]; then
  exec npm test --silent -- "$@"
fi
npm run build --silent >&2 || die 'The build failed; its messages are above.'

case "$verb" in
  prereq) echo 'Everything is installed and built.' ;;
  demo) exec node gateway-client/bin/strokeshare.js demo "$@" ;;
  down)
    demo=no
    [ -e .strokeshare/demo ] && demo=yes
    node gateway-client/bin/strokeshare.js demo --down
    # Where it was the demo that had to go, nobody asked for another network.
    if [ "$demo" = yes ] && [ $# -eq 0 ] && [ ! -e .strokeshare/network ]; then
      exit 0
    fi
    exec node network/bin/strokeshare-network.js down "$@"
    ;;
  restart)
    node network/bin/strokeshare-network.js down
    exec node network/bin/strokeshare-network.js up "$@"
    ;;
  *) exec node network/bin/strokeshare-network.js "$verb" "$@" ;;
esac
