#!/bin/sh
# Runs a command with the secrets that Compose puts into files, for programs that want variables:
# NAME_FILE=/run/secrets/x becomes NAME=<content of x>. An absent file is an error.
set -eu
for name in PREFECT_SERVER_DATABASE_PASSWORD PREFECT_SERVER_API_AUTH_STRING \
    PREFECT_API_AUTH_STRING SYNTH_KEY SYNTH_SEED; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        value=$(cat "$file")
        export "$name=$value"
        unset "${name}_FILE"
    fi
done
exec "$@"
