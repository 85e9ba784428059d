#!/bin/bash
# A challenge plugin of one's own: the example, built with the installed header alone, judges a device; whose hands
# a plugin may have been in, and the service does not start with it; answers that are none.  Prints TAP.
#
#   B=build/asan test/live/scep_plugin.sh
# shellcheck source=test/live/plugin.bash
. "$(dirname "$(realpath "$0")")/plugin.bash"

# ---- the header and the example, as `make install` lays them out -------------------------------------------
# Its commands for these two, and not `make install`: that would look whether anything has to be built.
env -u MAKEFLAGS -u MFLAGS make -n -C "$root" install B="$B" DESTDIR="$work/inst" PREFIX=/usr 2>make.err |
    grep '^install .*\(include/certferry\|plugin-example\)' >install.sh
ok "make install has the header and the example" is "$(wc -l <install.sh)" 2
(cd "$root" && sh -eu "$work/install.sh") || bail "they cannot be installed"
include=$work/inst/usr/include example=$work/inst/usr/share/doc/certferry/plugin-example/mine.c
strict=(-Wall -Wextra -pedantic -Werror)
mkdir plugins
for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    ok "the example: one line of $cc, no warning" $cc "${strict[@]}" -shared -fPIC -I "$include" -o plugins/mine.so "$example"
done
gcc -M -I "$include" "$example" | tr -d '\\' | tr ' ' '\n' >needs
ok "it has read the installed header" says needs "$include/certferry/plugin.h"
ok "and nothing of the source tree" nowhere "$root/" needs
for std in c99 c11 c17; do
    ok "the header is $std" gcc "${strict[@]}" -std=$std -fsyntax-only -I "$include" -x c - <<<'#include <certferry/plugin.h>'
done
if command -v g++ >/dev/null; then
    ok "and C++" g++ "${strict[@]}" -fsyntax-only -I "$include" -x c++ - <<<'#include <certferry/plugin.h>'
fi
gcc -shared -fPIC -I "$include" -o plugins/mine.so "$example"

# ---- it judges ---------------------------------------------------------------------------------------------
sandbox_start cloud
scep_open
secret=correct-horse-battery-staple
challenge good $secret
challenge bad correct-horse-battery-stable
(umask 077 && cp good.challenge mine.secret)
mine_at() { # PATH
    plugin=mine
    plugin_section mine "$1" 'settings = {"domain=contoso.example"}' "secrets = {\"challenge=$work/mine.secret\"}"
}
mine_at "$work/plugins/mine.so"
server=1.3.6.1.5.5.7.3.1
judged servers mine "ekus = {\"$server\", \"1.3.6.1.5.5.7.3.2\"}"
ok "plugin test: it opens" exits 0 plugin test mine
serves servers
url=$(url_of servers)
host=(--eku "$server" --san dns:a.contoso.example)
ok "a good challenge: a certificate" gets "$url" one --cn one "${host[@]}" --challenge-file good.challenge
ok "for the device's key" same_key one.pem one.key
ok "of the CA" chain_holds one.pem
ok "with the name" has_san one.pem DNS:a.contoso.example
ok "the plugin hears of it, and its words are in the log" says "$log" "$(serial_of one.pem) for 127.0.0.1"
ok "one secret serves many (CERTFERRY_MANY_USES)" gets "$url" two --cn two "${host[@]}" --challenge-file good.challenge
ok "a bad challenge: refused" gets_none 2 "$url" three --cn three "${host[@]}" --challenge-file bad.challenge
ok "the log has the plugin's reason" says "$log" 'wrong challenge'
ok "no challenge: refused" gets_none 2 "$url" three --cn three "${host[@]}"
ok "a name of another domain: refused" gets_none 2 "$url" three --cn three --eku $server \
    --san dns:contoso.example.attacker.example --challenge-file good.challenge
ok "one good and one other name: refused" gets_none 2 "$url" three --cn three "${host[@]}" --san dns:b.example \
    --challenge-file good.challenge
ok "another purpose than the plugin claims: refused" gets_none 2 "$url" three --cn three --san dns:a.contoso.example \
    --challenge-file good.challenge
ok "and the CA has seen none of these" is "$(ledger '"csr-received".*"cn":"three"')" 0
agent_stop || bail "it does not stop"

# ---- whose hands it may have been in -----------------------------------------------------------------------
spoilt() { # WHAT SPOILER MENDER TEXT...: refused when spoilt
    local what=$1 spoil=$2 mend=$3
    shift 3
    eval "$spoil"
    ok "$what: it does not start" refuses "$@"
    eval "$mend"
}
so=$work/plugins/mine.so
spoilt "writable by the group" "chmod g+w $so" "chmod go-w $so" "$so: others may write it (mode 0775)"
spoilt "writable by everybody" "chmod o+w $so" "chmod go-w $so" "$so: others may write it (mode 0757)"
spoilt "in a folder writable by the group" "chmod g+w plugins" "chmod go-w plugins" \
    "$work/plugins: others may write it (mode 0775)"
spoilt "in a folder writable by everybody" "chmod o+w plugins" "chmod go-w plugins" \
    "$work/plugins: others may write it (mode 0757)"
spoilt "under a folder writable by everybody" "chmod o+w $work" "chmod go-w $work" "$work: others may write it"
if [ "$(id -u)" -eq 0 ]; then
    nobody=$(id -u nobody)
    spoilt "of another user" "chown nobody $so" "chown root $so" "$so: belongs to user $nobody"
    spoilt "in a folder of another user" "chown nobody plugins" "chown root plugins" \
        "$work/plugins: belongs to user $nobody"
else
    skip "of another user" "only root can give files away"
fi
mkdir -m 777 open
chmod 777 open
cp -p "$so" open/mine.so
ln -s ../open/mine.so plugins/out.so
ln -s "$so" open/in.so
ln -s "$so" plugins/link.so
mine_at "$work/plugins/out.so"
ok "a link into a folder that others may write: it does not start" refuses "$work/open: others may write it"
mine_at "$work/open/in.so"
ok "a link out of one: it does not start" refuses "$work/open: others may write it"
mine_at "$work/plugins/../open/mine.so"
ok "a path through .. into one: it does not start" refuses "$work/open: others may write it"
mine_at plugins/mine.so
ok "a path that depends on where we are: it does not start" refuses 'neither the name of a shipped plugin nor an absolute path'
mine_at "$work/plugins/none.so"
ok "no such file: it does not start" refuses "$work/plugins/none.so: No such file"
mine_at "$work/plugins"
ok "a folder: it does not start" refuses "$work/plugins: not a file"
mine_at "$work/plugins/link.so"
serves servers
ok "a link between folders that are ours: it starts" gets "$(url_of servers)" four --cn four "${host[@]}" \
    --challenge-file good.challenge
agent_stop

# ---- what is no plugin -------------------------------------------------------------------------------------
cp "$example" plugins/text.so
mine_at "$work/plugins/text.so"
ok "no shared object: it does not start" refuses text.so
plugin=liar
rm "$dir/conf.d/plugin-mine.conf" "$dir/conf.d/scep-servers.conf"
judged lies liar
judged asks liar # apart: who asks in vain is asked less, and that is the endpoint's
liar() { # NAME OPTION...: the liar, built in another way, is the plugin
    shared_object "plugins/$1" "${@:2}" <"$root/test/live/liar.c"
    plugin_section liar "$work/plugins/$1.so"
}
shared_object plugins/empty <<<'int nothing;'
plugin_section liar "$work/plugins/empty.so"
ok "without certferry_plugin_v1: it does not start" refuses certferry_plugin_v1
liar abi -DLIAR_ABI=2
ok "made for another ABI: it does not start" refuses 'made for ABI 2, this service has 1'
liar size -DLIAR_SIZE=40
ok "too short a table: it does not start" refuses 'its table has 40 bytes, not'
liar flags -DLIAR_FLAGS=64
ok "a flag of tomorrow: it does not start" refuses 'flags 0x40, of which this service does not know all'
liar generates -DLIAR_FLAGS=CERTFERRY_GENERATES
ok "a flag without its function: it does not start" refuses 'CERTFERRY_GENERATES without generate'
liar verify -DLIAR_VERIFY=NULL
ok "no verify: it does not start" refuses 'no name, version, open, close or verify'
liar liar
plugin_section liar "$work/plugins/liar.so" 'settings = {"refuse=it does not feel like it"}'
ok "it refuses itself: it does not start, and says why" refuses 'plugin "liar": it does not feel like it'

# ---- answers that are none ---------------------------------------------------------------------------------
liar liar
serves lies
lies=$(url_of lies)
for what in seven minus fail-number plain-http no-url program claims-{other,cut,two,list,empty,twice,new}; do
    challenge "$what" "liar-$what"
    ok "$what: refused" gets_none 2 "$lies" "$what" --cn "$what" --challenge-file "$what.challenge"
done
challenge endless liar-endless
ok "endless questions: refused" gets_none 2 "$(url_of asks)" endless --cn endless --challenge-file endless.challenge
ok "the log says what it answered" says "$log" 'the plugin answered 7, which is no answer' \
    'the plugin asks more than 8 questions' "the plugin's claims are refused" "the plugin's question is refused"
ok "the CA has seen none of them" is "$(ledger '"event":"csr-received".*"cn":"claims-\|"csr-received".*"cn":"endless')" 0
challenge claims-fit liar-claims-fit
ok "claims that fit: a certificate" gets "$lies" claims-fit --cn claims-fit --challenge-file claims-fit.challenge
ok "the same challenge for another key: refused" gets_none 2 "$lies" thief --cn claims-fit \
    --challenge-file claims-fit.challenge
for what in not-noted not-noted-either; do
    challenge $what liar-$what
    ok "$what: the device gets no certificate" gets_none 2 "$lies" $what --cn $what --challenge-file $what.challenge
done
cf orphans list --json
ok "what it did not take are orphans" is "$(count out '$.data.orphans' 1)" 2

# ---- in the service, a crash is the service's --------------------------------------------------------------
challenge crash liar-crash
{ # bash says that it has been aborted
    device "$lies" crash --cn crash --challenge-file crash.challenge
    device_rc=$rc
    agent_ended
} 2>ended.err
ok "it crashes: the device gets no certificate" not is "$device_rc" 0
ok "the service ends with it, not as if all were well" not is "$rc" 0
serves lies
ok "started again it serves, and the challenges it has spent stay spent" gets_none 2 "$(url_of lies)" thief \
    --cn claims-fit --challenge-file claims-fit.challenge
ok "SIGTERM: exit 0" agent_stop
ok "no challenge in any log or answer" no_secrets said
finish
