/* completion SHELL: a small script that asks `certferry complete`. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"

static const char bash[] =
    "# bash completion of certferry: certferry completion bash\n"
    "_certferry() {\n"
    "    local line word files=''\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        word=${line%%$'\\t'*}\n"
    "        if [ \"$line\" = :files ]; then\n"
    "            files=1\n"
    "        elif [[ $word == *[!a-zA-Z0-9_.:/@%+=,-]* ]]; then\n"
    "            COMPREPLY+=(\"$(printf %q \"$word\")\")\n"
    "        else\n"
    "            COMPREPLY+=(\"$word\")\n"
    "        fi\n"
    "    done < <(\"${COMP_WORDS[0]}\" complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "    if [ -n \"$files\" ]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        while IFS= read -r line; do\n"
    "            COMPREPLY+=(\"$line\")\n"
    "        done < <(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
    "    fi\n"
    "}\n"
    "complete -F _certferry certferry\n";

static const char zsh[] =
    "#compdef certferry\n"
    "# zsh completion of certferry: certferry completion zsh\n"
    "_certferry() {\n"
    "    local line files=''\n"
    "    local -a candidates\n"
    "    for line in ${(f)\"$($words[1] complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"}; "
    "do\n"
    "        if [[ $line == :files ]]; then\n"
    "            files=1\n"
    "        else\n"
    "            candidates+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        fi\n"
    "    done\n"
    "    (( $#candidates )) && _describe certferry candidates\n"
    "    [[ -n $files ]] && _files\n"
    "}\n"
    "if [[ $funcstack[1] == _certferry ]]; then\n"
    "    _certferry \"$@\"\n"
    "else\n"
    "    compdef _certferry certferry\n"
    "fi\n";

static const char fish[] =
    "# fish completion of certferry: certferry completion fish\n"
    "function __certferry_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    for line in ($words[1] complete -- $words[2..-1] \"$current\" 2>/dev/null)\n"
    "        if test \"$line\" = :files\n"
    "            __fish_complete_path \"$current\"\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c certferry -f -a '(__certferry_complete)'\n";

int cmd_completion(struct cli *c)
{
    static const struct {
        const char *name, *script;
    } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
    struct buf data = BUF_INIT(16384);
    struct json_out o = { .to = &data };

    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].name, c->args[0]) != 0)
            continue;
        json_open(&o, NULL, '{');
        json_put_text(&o, "shell", shells[i].name);
        json_put_text(&o, "script", shells[i].script);
        json_close(&o, '}');
        if (c->json)
            cli_envelope("certferry.completion/1", &data, NULL, EXIT_OK);
        else
            (void)fputs(shells[i].script, stdout);
        buf_free(&data);
        return EXIT_OK;
    }
    return cli_usage(c, "no completion for %.40s; there is bash, zsh and fish", c->args[0]);
}
