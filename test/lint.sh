#!/bin/bash
# lint.sh - the rules of the house that a compiler does not know.  Prints what breaks one; exit 1 if any.
#
# test/lint.allow lists the exceptions, each with its known count: a new one fails, and so does one that
# is gone but still listed.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
say() { echo "lint: $*"; bad=1; }
# The rooms of agent/, lowest first (agent/DESIGN.md): each may include those before it, and agent/agent.h.
rooms=(base secrets conf io store cloud ca requests challenge scep service control probe doctor cli)
agent=(agent/*.[ch])
for room in "${rooms[@]}"; do agent+=("agent/$room"/*.[ch]); done
code=(certs/*.[ch] proto/*.[ch] "${agent[@]}")

# ---- doors: each third-party library has one ------------------------------------------------------------
door() { # library, include pattern, files that may
    local hits
    hits=$(grep -lE "#include <$2>" "${code[@]}" | grep -vE "^($3)$")
    [ -z "$hits" ] || say "$1 is included outside its door ($3):" $hits
}
door libuv 'uv\.h' 'agent/io/io_uv\.h|agent/io/io_[a-z]+\.c'
door libcurl 'curl/.*' 'agent/io/io_[a-z_]+\.[ch]'
door SQLite 'sqlite3\.h' 'agent/store/store_sql\.h|agent/store/store[a-z_]*\.c'
door json-c 'json-c/.*|json\.h' 'proto/json[a-z_]*\.c'
door zlib 'zlib\.h' 'agent/cli/bugreport_tar\.c'
door llhttp 'llhttp\.h' 'proto/http1\.c'
door libconfuse 'confuse\.h' 'agent/conf/conf[a-z_]*\.[ch]'
door OpenSSL 'openssl/.*' 'certs/[a-z0-9_]+\.[ch]|agent/io/io_(listen_tls|issuer)\.c'

# ---- layers: agent -> proto -> certs ----------------------------------------------------------------------
hits=$(grep -nE '#include "(proto|agent|test)/' certs/*.[ch]); [ -z "$hits" ] || say "certs/ leans upward: $hits"
hits=$(grep -nE '#include "(agent|test)/' proto/*.[ch]); [ -z "$hits" ] || say "proto/ leans upward: $hits"
hits=$(grep -nE '#include "test/' "${agent[@]}"); [ -z "$hits" ] || say "agent/ needs test/: $hits"
above=$(printf '|%s' "${rooms[@]}")
for room in "${rooms[@]}"; do
    above=${above#"|$room"}
    hits=$(grep -nE "#include \"agent/(plugins$above)/" "agent/$room"/*.[ch])
    [ -z "$hits" ] || say "agent/$room leans on a room above it: $hits"
done
for room in agent/*/; do
    room=$(basename "$room")
    [[ " ${rooms[*]} plugins " == *" $room "* ]] || say "agent/$room is no room of test/lint.sh"
done
hits=$(grep -nE '#include "(agent|proto|certs)/' test/sandbox/*.[ch] test/scep/*.[ch])
[ -z "$hits" ] || say "the sandbox uses the product's code: $hits"
hits=$(grep -lE '<(sys/socket|netinet/.*|sys/stat|fcntl|unistd)\.h>|fopen\(|time\(NULL' certs/*.[ch] proto/*.[ch])
[ -z "$hits" ] || say "network, files or clock below agent/:" $hits

hits=$(grep -hE '^#include "' agent/plugins/*.[ch] | grep -vE '"agent/(certferry_plugin|plugins/[a-z_]+)\.h"')
[ -z "$hits" ] || say "a shipped plugin includes more than certferry_plugin.h: $hits"

# ---- words ------------------------------------------------------------------------------------------------
# Comments and strings do not count.
strip() { sed -E -e 's/"([^"\\]|\\.)*"/""/g' -e 's://.*$::' -e 's:/\*.*\*/::g' -e '/^[[:space:]]*(\/\*|\*)/d' "$1"; }
words='\b(sprintf|vsprintf|strcpy|strcat|atoi|atol|gmtime|localtime|strtok|system|sleep|usleep|abort|alloca|gets|popen|memcmp|getenv|PKCS7_[a-z]\w*|d2i_PKCS7|d2i_PKCS12|PKCS12_parse|EVP_PKEY_generate|malloc|calloc|realloc)[[:space:]]*\('
for f in $(printf "%s\n" "${code[@]}" agent/plugins/*.c | grep "\.c$"); do
    strip "$f" | grep -oE "$words" | sed -E 's/[[:space:]]*\(//' | sort | uniq -c | while read -r n w; do
        echo "$f $w $n"
    done
done | LC_ALL=C sort >/tmp/certferry-lint.$$
grep -vE '^#|^$' test/lint.allow | LC_ALL=C sort >/tmp/certferry-lint-allow.$$
diff=$(diff /tmp/certferry-lint-allow.$$ /tmp/certferry-lint.$$)
rm -f /tmp/certferry-lint.$$ /tmp/certferry-lint-allow.$$
[ -z "$diff" ] || say "banned words changed (< listed in test/lint.allow, > found):
$diff"

hits=$(git grep -nE '\b(TOD[O]|FIXM[E]|XX[X])\b' -- '*.c' '*.h' '*.sh' Makefile); [ -z "$hits" ] || say "unfinished: $hits"
hits=$(git grep -nIE '(^|[^a-z])/(wor[k]|roo[t]|hom[e])/' -- .); [ -z "$hits" ] || say "names a machine: $hits"

# ---- headers stand alone, files stay short ------------------------------------------------------------------
inc=$(pkg-config --cflags json-c libuv libcurl sqlite3 libconfuse 2>/dev/null)
for h in $(printf "%s\n" "${code[@]}" | grep "\.h$"); do
    # shellcheck disable=SC2086
    echo "#include \"$h\"" | ${CC:-gcc} -std=c11 -D_GNU_SOURCE -I. $inc -Wall -Wextra -Werror -x c -fsyntax-only - || say "$h does not stand alone"
done
while read -r n f; do
    [ "$n" -le 450 ] || say "$f has $n lines; would two files read better?"
done < <(wc -l "${code[@]}" agent/plugins/*.[ch] test/sandbox/*.[ch] test/scep/*.[ch] test/sim/*.[ch] | grep -v total)

# ---- DESIGN.md lists every file ------------------------------------------------------------------------------
for d in certs proto agent "${rooms[@]/#/agent/}" agent/plugins test/sandbox test/scep; do
    for f in "$d"/*.c; do
        b=$(basename "$f" .c)
        grep -qE "(\`|, |^)$b(\.c)?(\`|\b)" "$d/DESIGN.md" || say "$d/DESIGN.md does not list $b"
    done
done

# ---- layout --------------------------------------------------------------------------------------------------
mapfile -t files < <(git ls-files '*.c' '*.h')
clang-format --dry-run -Werror "${files[@]}" 2>&1 | grep -E 'error:' | sed -E 's/:[0-9]+:[0-9]+:.*//' | sort | uniq -c | while read -r n f; do
    echo "lint: $f: $n places are not as clang-format wants them (make format)"
done | tee /tmp/certferry-lint-format.$$ ; [ -s /tmp/certferry-lint-format.$$ ] && bad=1; rm -f /tmp/certferry-lint-format.$$

[ $bad -eq 0 ] && echo "lint: clean"
exit $bad
