#ifndef AGENT_CLI_H
#define AGENT_CLI_H
#include <stdbool.h>
#include "agent/control/control.h"
#include "proto/json.h"

/*
 * cli.h - the command line: one table row for each command, from which help and the manual page are
 * made.  Data goes to standard output, everything else to standard error; every error is three lines:
 * what failed, the fact seen, what to do.
 */
enum { CLI_OPTIONS_MAX = 64, CLI_OPTIONS_OF_ALL = 3 };

struct cli {
    const char *config;
    bool json, quiet;
    bool answer_hidden; /* cli_ask prints errors only: the answer is part of another one */
    bool memory_locked; /* false: secrets may be swapped out */
    const struct command *command;
    const char *given[CLI_OPTIONS_MAX]; /* one for each row of cli_options: see cli_given */
    char **args;                        /* what is left */
    int arg_count;
};

struct command {
    const char *noun, *verb; /* verb NULL: none */
    const char *args;        /* "", "ID", "KEY VALUE", "[TOPIC]", "FILE..." */
    const char *options;     /* its own: "--all --state" */
    const char *help;
    int (*run)(struct cli *c); /* an exit code */
};
extern const struct command cli_commands[];

struct cli_option {
    const char *name,
        *value; /* "--config", "FILE"; value NULL: a switch; "DURATION": checked, see cli_seconds */
    const char *help;
};
extern const struct cli_option cli_options[];

/* cli_given - the value of an option, "" for a switch, NULL: not given. */
const char *cli_given(const struct cli *c, const char *option);
/* cli_seconds - of an option whose value is a DURATION: "90", "90s", "5min", "2h", "1d" */
int64_t cli_seconds(const struct cli *c, const char *option, int64_t fallback);
int cli_duration(const char *text, int64_t *out); /* 0, or -1: not one */

const char *cli_topic(size_t i); /* of help; NULL: no more */

/* ---- for the parser ---- */
size_t cli_option_at(const char *name); /* its row; the one after the last: no such */
bool cli_takes(const struct command *k, const char *option);
bool cli_hidden(const struct command *k); /* for scripts: in no help */

/* cli_fail - the three lines, or the JSON envelope; returns the exit code of the class. */
int cli_fail(const struct cli *c, const struct err *e, const char *fix, ...)
    __attribute__((format(printf, 3, 4)));

/* cli_may_not - did it fail because this user may not?  Then cli_fail says that, whatever the class: EXIT_PERMISSION. */
bool cli_may_not(const struct cli *c, const struct err *e);

/* cli_fail_as - with this exit code: commands that a service manager judges have their own. */
int cli_fail_as(const struct cli *c, int code, const struct err *e, const char *fix, ...)
    __attribute__((format(printf, 4, 5)));

/* cli_usage - the same for what was typed wrong; 2. */
int cli_usage(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* cli_no_command, cli_no_verb (verb NULL: none was given), cli_no_option (value NULL: none was given; known, but with a wrong
 * value) - the same, with what there is or was probably meant.  cli_meant.c */
int cli_no_command(const struct cli *c, const char *noun);
int cli_no_verb(const struct cli *c, const char *noun, const char *verb);
int cli_no_option(const struct cli *c, const char *option, const char *value);

/* cli_warn - two lines on standard error, not with --quiet; with --json a member of "warnings" of the envelope that
 * follows. */
void cli_warn(const struct cli *c, const char *code, const char *fix, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* cli_sure - what cannot be taken back is asked for, but only of a person: at a terminal, without --yes.
 * false: said no, and was told that nothing was done */
bool cli_sure(const struct cli *c);

/*
 * cli_ask - a command of control.h, at the running service or else on the store.
 * returns an exit code; *answer (freed by the caller) is the envelope when it is 0 or EXIT_NO_SERVICE
 */
int cli_ask(struct cli *c, const char *request, bool changes, struct json **answer);

/* cli_ask_keys - the same for commands about secrets and keys, which are done at either place: 0, or an exit code. */
int cli_ask_keys(struct cli *c, struct view request, struct json **answer);
/* cli_put_secret - `secret set` as a part of another command: 0, or the exit code of what was said */
int cli_put_secret(struct cli *c, const char *name, struct view value);

/*
 * cli_secrets - the secrets of the store, to look at: blind (see secrets_open) where its master key cannot be read, as
 * a credential of the service manager; that is said.  v: closed by the caller after it.
 * cli_check_secrets - does every option that names a secret name one that is there?  fails ERR_CONFIG
 */
struct conf;
struct lib;
struct secrets;
struct vault;
struct secrets *cli_secrets(
    const struct cli *c, const struct conf *conf, struct lib *l, struct vault *v);
int cli_check_secrets(const struct conf *conf, struct secrets *s, struct err *e) MUST;

/* cli_secret_value - a secret that somebody gives: of a file that only he may read; file NULL: typed twice without an
 * echo, or standard input if that is no terminal.  One end of line at its end is dropped.
 * fails ERR_INPUT: nothing, too long, not the same twice, given up; ERR_CONFIG: the file */
int cli_secret_value(const char *what, const char *file, struct buf *out, struct err *e) MUST;

/* cli_io - what commands that ask others need: the loop and a lib.  returns 0, or the exit code of what failed */
int cli_io(const struct cli *c, struct lib **l);
void cli_io_end(struct lib *l);

/* cli_envelope - the members around "data", written to standard output; worst NULL: all is well. */
struct finding;
void cli_envelope(const char *schema, struct buf *data, const struct finding *worst, int code);

/* cli_scep_test - scep test, wherever: with --challenge-file, --subject and --wait.  An exit code */
struct scep_client_conf;
int cli_scep_test(struct cli *c, struct lib *l, const struct scep_client_conf *to);

/* A small table on standard output: columns as wide as their widest cell. */
struct cli_table;
struct cli_table *cli_table_new(const char *const *heads, size_t columns);
void cli_table_row(struct cli_table *t, const char *const *cells);    /* copies */
void cli_table_print(struct cli_table *t);                            /* and frees it */
void cli_table_free(struct cli_table *t);                             /* unprinted */
const char *cli_ago(int64_t at, int64_t now, char *out, size_t size); /* "12 s", "3 d 4 h" */

/*
 * cli_audit - record what a command did on disk, beside the store: at the service, or in its store, if there is one.
 * event: a name of audit.h from "config.changed" on; subject: a name, never a value.  What failed is printed: it is done.
 * cli_has_store - has a service, or a command, made one already?
 */
void cli_audit(struct cli *c, const struct conf *conf, const char *event, const char *subject,
    const char *detail);
bool cli_has_store(const struct conf *conf);

/* Members of an answer: "" or 0 if there is no such. */
const char *cli_text(const struct json *o, const char *name);
int64_t cli_number(const struct json *o, const char *name);
int64_t cli_time(const struct json *o, const char *name);
bool cli_true(const struct json *o, const char *name);

int cmd_run(struct cli *c);
int cmd_once(struct cli *c);
int cmd_check(struct cli *c);
int cmd_status(struct cli *c);
int cmd_requests_list(struct cli *c);
int cmd_requests_show(struct cli *c);
int cmd_requests_retry(struct cli *c);
int cmd_requests_cancel(struct cli *c);
int cmd_requests_hold(struct cli *c);
int cmd_requests_release(struct cli *c);
int cmd_orphans_list(struct cli *c);
int cmd_orphans_show(struct cli *c);
int cmd_orphans_adopt(struct cli *c);
int cmd_orphans_revoke(struct cli *c);
int cmd_audit_verify(struct cli *c);
int cmd_audit_export(struct cli *c);
int cmd_bugreport(struct cli *c);
int cmd_logs(struct cli *c);
int cmd_logs_level(struct cli *c);
int cmd_ra_show(struct cli *c);
int cmd_ra_renew(struct cli *c);
int cmd_sign_in(struct cli *c);
int cmd_sign_out(struct cli *c);
int cmd_whoami(struct cli *c);
int cmd_reconcile(struct cli *c);
int cmd_version(struct cli *c);
int cmd_scep_info(struct cli *c);
int cmd_scep_test(struct cli *c);
int cmd_plugin_list(struct cli *c);
int cmd_plugin_test(struct cli *c);
int cmd_doctor(struct cli *c);
int cmd_try_pkcs(struct cli *c);
int cmd_try_scep(struct cli *c);
int cmd_proxy_show(struct cli *c);
int cmd_proxy_set(struct cli *c);
int cmd_proxy_test(struct cli *c);
int cmd_proxy_clear(struct cli *c);
int cmd_secret_set(struct cli *c);
int cmd_secret_list(struct cli *c);
int cmd_secret_delete(struct cli *c);
int cmd_keys_rotate(struct cli *c);
int cmd_store_backup(struct cli *c);
int cmd_store_restore(struct cli *c);
int cmd_config_get(struct cli *c);
int cmd_config_set(struct cli *c);
int cmd_config_unset(struct cli *c);
int cmd_config_list(struct cli *c);
int cmd_config_validate(struct cli *c);
int cmd_config_explain(struct cli *c);
int cmd_config_path(struct cli *c);
int cmd_completion(struct cli *c);
int cmd_complete(struct cli *c);
int cmd_explain(struct cli *c);
int cmd_service_install(struct cli *c);
int cmd_service_uninstall(struct cli *c);
int cmd_service_start(struct cli *c);
int cmd_service_stop(struct cli *c);
int cmd_service_restart(struct cli *c);
int cmd_service_reload(struct cli *c);
int cmd_service_status(struct cli *c);
int cmd_help(struct cli *c);
int cmd_manual(struct cli *c); /* parts of the manual pages from the tables; for the build */
#endif
