import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * The peer's external builder for chaincode that runs as a service (package type `ccaas`): the three programs that
 * the peer calls, as Fabric's documentation describes them ("External Builders and Launchers"). There is no `run`,
 * so the peer connects to the address in connection.json.
 */
const scripts: Readonly<Record<'detect' | 'build' | 'release', string>> = {
  detect: `case "$(tr -d ' \\t\\n\\r' < "$2/metadata.json")" in
*'"type":"ccaas"'*) exit 0 ;;
esac
exit 1
`,
  build: `[ -f "$1/connection.json" ] || { echo 'The package has no connection.json.' >&2; exit 1; }
cp "$1/connection.json" "$3/connection.json"
if [ -d "$1/META-INF" ]; then cp -R "$1/META-INF" "$3/"; fi
`,
  release: `mkdir -p "$2/chaincode/server"
cp "$1/connection.json" "$2/chaincode/server/connection.json"
if [ -d "$1/META-INF" ]; then cp -R "$1/META-INF/." "$2/"; fi
`,
};

/** Writes the builder below `folder` and returns the path to give to the peer. */
export function writeServiceBuilder(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, body] of Object.entries(scripts))
    writeFileSync(join(bin, name), `#!/bin/sh\nset -eu\n${body}`, { mode: 0o755 });
  return folder;
}
