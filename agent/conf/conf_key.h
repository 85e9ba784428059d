#ifndef AGENT_CONF_KEY_H
#define AGENT_CONF_KEY_H
#include "agent/conf/conf.h"

/*
 * conf_key.h - options as people name them: cloud.url, ca.issuing1.url, scep "wi fi".ca; and their values as text.
 */
struct conf_key {
    const struct conf_option *option; /* NULL: the whole section */
    const char *section;
    char title[CONF_NAME_MAX + 1]; /* "": none given, or the section has none */
};

/* conf_key_parse - fails ERR_INPUT: no such option or section, with what was probably meant.  Titles are not looked
 * up, and may be missing. */
int conf_key_parse(const char *text, struct conf_key *out, struct err *e) MUST;

/* conf_key_name - as it may be given again: cloud.url; ca.issuing1.url; ca "my ca".url */
void conf_key_name(const struct conf_option *o, const char *title, char *out, size_t size);

/* conf_likeness - how much of what was typed is in this word; 0: not much */
size_t conf_likeness(const char *typed, const char *word);

/* conf_did_you_mean - "; did you mean cloud.url?", or "" */
void conf_did_you_mean(const char *section, const char *key, char *out, size_t size);

/* conf_value_text - the value in use: as `config set` takes it; "" if it is not set.  title: NULL or the section's
 * returns false: there is no such section */
bool conf_value_text(
    const struct conf *c, const struct conf_option *o, const char *title, struct buf *out);

/* conf_value_json - member "value": text, number, true or false, array; null if it is not set. */
struct json_out;
void conf_value_json(
    const struct conf *c, const struct conf_option *o, const char *title, struct json_out *out);

/* conf_type_text - "number, 1 to 86400 seconds", "one of any|basic", "list of texts" */
void conf_type_text(const struct conf_option *o, char *out, size_t size);
const char *conf_type_name(const struct conf_option *o); /* "number" */

/* conf_origin_text - "default", "/etc/certferry/certferry.conf:3", "environment CERTFERRY_LOG_LEVEL" */
void conf_origin_text(const struct conf_origin *at, char *out, size_t size);
const char *conf_layer_name(
    const struct conf_origin *at); /* "default", "file", "drop-in", "environment" */
#endif
