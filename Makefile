# certferry: build, test, install.  `make help` lists the targets.
#
# Everything is built under build/<variant>/: rel (what is installed), asan (what the tests run:
# AddressSanitizer, UndefinedBehaviorSanitizer, leak check, crash points), crash (rel with crash
# points), cover, fuzz.  A unit test links only the archive of its own layer and those below.

SHELL   = /bin/bash
VERSION = 0.1.0
VARIANT ?= rel
B       = build/$(VARIANT)
PREFIX  ?= /usr/local
DESTDIR ?=

all: program plugins sandbox
.DEFAULT_GOAL := all

# ---- compiler ------------------------------------------------------------------------------------
CC      = gcc
WARN    = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
          -Wformat=2 -Wundef -Wpointer-arith -Werror \
          $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
HARDEN  = -fstack-protector-strong -fstack-clash-protection $(CET) -fPIE -D_FORTIFY_SOURCE=3
# Where the processor checks where calls and returns go.
CET     = $(if $(findstring x86_64,$(shell uname -m)),-fcf-protection)
CFLAGS_rel   = -O2 -g $(HARDEN)
CFLAGS_crash = -O2 -g $(HARDEN) -DCRASH_POINTS
CFLAGS_asan  = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
               -fno-sanitize-recover=all -DCRASH_POINTS
CFLAGS_clang = -O1 -g -fsyntax-only
CFLAGS_cover = -O0 -g --coverage -DCRASH_POINTS
CFLAGS_fuzz  = -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
LDFLAGS_rel   = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LDFLAGS_crash = $(LDFLAGS_rel)
LDFLAGS_asan  = -fsanitize=address,undefined
LDFLAGS_cover = --coverage
LDFLAGS_fuzz  = -fsanitize=address,undefined
CPPFLAGS = -std=c11 -D_GNU_SOURCE -DCERTFERRY_VERSION='"$(VERSION)"' \
           -DCERTFERRY_PLUGIN_DIR='"$(PREFIX)/lib/certferry/plugins"' -I. -I$(B)
ALLFLAGS = $(CPPFLAGS) $(WARN) $(CFLAGS_$(VARIANT)) $(CFLAGS)

pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
# llhttp: a library where there is one; Debian 12 has its sources only, in node-llhttp.
ifeq ($(shell pkg-config --exists libllhttp 2>/dev/null && echo yes),yes)
CFLAGS_llhttp := $(call pkg,--cflags,libllhttp)
LIBS_llhttp   := $(call pkg,--libs,libllhttp)
else
LLHTTP        = /usr/share/llhttp
CFLAGS_llhttp = -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1
OBJ_llhttp    = $(patsubst %,$(B)/llhttp/%.o,llhttp api http)
endif
CFLAGS_certs =
CFLAGS_proto := $(call pkg,--cflags,json-c) $(CFLAGS_llhttp)
CFLAGS_agent := $(call pkg,--cflags,libuv libcurl sqlite3 libconfuse)
LIBS_certs = -lcrypto
LIBS_proto = -ljson-c $(LIBS_llhttp) $(LIBS_certs)
LIBS_agent = -luv -lcurl -lsqlite3 -lconfuse -lz -lssl $(LIBS_proto)
LIBS_sandbox = -lmicrohttpd -lgnutls -ljson-c -lssl -lcrypto -lpthread

# ---- sources -------------------------------------------------------------------------------------
# Platform code lives in sibling files: x_posix.c here, x_win.c for Windows.
not_here   = %_win.c
CERTS_C    = $(filter-out $(not_here),$(wildcard certs/*.c))
PROTO_C    = $(filter-out $(not_here),$(wildcard proto/*.c))
AGENT_C    = $(filter-out $(not_here) agent/main.c agent/plugins/%,$(wildcard agent/*.c agent/*/*.c))
SANDBOX_C  = $(wildcard test/sandbox/*.c)
obj        = $(patsubst %.c,$(B)/%.o,$(1))

$(B)/libcerts.a: $(call obj,$(CERTS_C))
$(B)/libproto.a: $(call obj,$(PROTO_C)) $(OBJ_llhttp)
$(B)/libagent.a: $(call obj,$(AGENT_C))
$(B)/lib%.a:
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) $(CFLAGS_proto) $(CFLAGS_agent) -MMD -MP -c -o $@ $<
# Generated code, not held to our warnings.
$(B)/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -w $(CFLAGS_llhttp) $(filter-out --coverage,$(CFLAGS_$(VARIANT))) $(CFLAGS) -c -o $@ $<
-include $(shell find $(B) -name '*.d' 2>/dev/null)

LINK = $(Q)$(CC) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@
Q    = @printf '  %-7s %s\n' "$(if $(findstring .o,$@),cc,build)" "$@";
ifdef VERBOSE
Q    =
endif

program: $(B)/certferry ; @:
$(B)/certferry: $(B)/agent/main.o $(B)/libagent.a $(B)/libproto.a $(B)/libcerts.a
	$(LINK) $^ $(LIBS_agent)

# ---- challenge plugins: shared objects that know agent/certferry_plugin.h and nothing else of us --------------
PLUGINS_C = $(wildcard agent/plugins/*.c)
PLUGINS   = $(patsubst agent/plugins/%.c,$(B)/plugins/%.so,$(PLUGINS_C))
plugins: $(PLUGINS) ; @:
$(B)/plugins/%.so: agent/plugins/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -fPIE,$(ALLFLAGS)) -fPIC -fvisibility=hidden -MMD -MP -MF $(@:.so=.d) -shared \
	    -Wl,-z,relro,-z,now -o $@ $<

sandbox: $(B)/certferry-sandbox ; @:
$(B)/certferry-sandbox: $(call obj,$(SANDBOX_C))
	$(LINK) $^ $(LIBS_sandbox)

include test/test.mk
include packaging/packages.mk

# ---- unit files, as `service install` writes them ---------------------------------------------------------
UNIT_FILES = SERVICE=certferry.service SYSUSERS=certferry.sysusers TMPFILES=certferry.tmpfiles
$(B)/unit_files.h: $(wildcard packaging/systemd/certferry.*)
	@mkdir -p $(@D)
	@for f in $(UNIT_FILES); do echo "#define UNIT_$${f%%=*} \\"; \
	    sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n" \\/' packaging/systemd/$${f#*=}; echo '""'; done > $@
$(B)/agent/service/systemd_posix.o lint-clang/agent/service/systemd_posix: $(B)/unit_files.h

# ---- manual pages: the tables in them are printed by the program -------------------------------------
MAN_PARTS = commands options configuration exit-codes pages events metrics audit checks
$(B)/manual-%: $(B)/certferry
	$(Q)$< manual $* > $@
TIDY = awk -f packaging/man/tidy.awk
$(B)/%: packaging/man/%.scd packaging/man/tidy.awk $(MAN_PARTS:%=$(B)/manual-%)
	$(Q)sed $(foreach p,$(MAN_PARTS),-e '/^@$(p)@$$/I{r $(B)/manual-$(p)' -e 'd}') $< | scdoc > $@.tmp && $(TIDY) $@.tmp > $@ && rm $@.tmp
# A page for each noun that has verbs.
$(B)/man/done: $(B)/certferry packaging/man/tidy.awk
	@mkdir -p $(@D) && rm -f $(@D)/*
	$(Q)for n in $$($< manual nouns); do $< manual page $$n | scdoc > $@.tmp && $(TIDY) $@.tmp > $(@D)/certferry-$$n.1 || exit 1; done && rm $@.tmp && touch $@
$(B)/completion/%: $(B)/certferry
	@mkdir -p $(@D)
	$(Q)$< completion $* > $@
COMPLETION = $(B)/completion/bash $(B)/completion/zsh $(B)/completion/fish
$(B)/certferry.conf.sample: $(B)/certferry
	$(Q)$< manual sample > $@
man: $(B)/certferry.1 $(B)/certferry.conf.5 $(B)/certferry-plugin.5 $(B)/certferry-events.7 $(B)/certferry-first-steps.7 $(B)/man/done $(B)/certferry.conf.sample
lint-man: man
	@! mandoc -T lint -W warning $(B)/certferry.1 $(B)/certferry.conf.5 $(B)/certferry-plugin.5 $(B)/certferry-events.7 $(B)/certferry-first-steps.7 $(B)/man/*.1 | grep .
	@# A page that is named is there.
	@for page in $$(grep -ohE 'certferry(-[a-z-]+|\.conf)?\*?\([1578]\)' packaging/man/*.scd agent/*/*.c | tr -d '*)' | tr '(' . | sort -u); do \
	    [ -e $(B)/$$page ] || [ -e $(B)/man/$$page ] || { echo "lint: no such manual page: $$page"; exit 1; }; done

# ---- what an administrator installs ---------------------------------------------------------------
install: program plugins man $(COMPLETION)
	install -D -m 755 $(B)/certferry $(DESTDIR)$(PREFIX)/bin/certferry
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/certferry/plugins $(PLUGINS)
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/certferry/plugin-example packaging/plugin-example/*
	install -D -m 644 agent/certferry_plugin.h $(DESTDIR)$(PREFIX)/include/certferry/plugin.h
	install -D -m 644 $(B)/certferry.1 $(DESTDIR)$(PREFIX)/share/man/man1/certferry.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 $(B)/man/*.1
	install -D -m 644 $(B)/completion/bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/certferry
	install -D -m 644 $(B)/completion/zsh $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_certferry
	install -D -m 644 $(B)/completion/fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/certferry.fish
	install -D -m 644 $(B)/certferry.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/certferry.conf.5
	install -D -m 644 $(B)/certferry-plugin.5 $(DESTDIR)$(PREFIX)/share/man/man5/certferry-plugin.5
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/certferry/prometheus packaging/prometheus/*
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/certferry/schema packaging/schema/*.json
	install -D -m 644 $(B)/certferry-events.7 $(DESTDIR)$(PREFIX)/share/man/man7/certferry-events.7
	install -D -m 644 $(B)/certferry-first-steps.7 $(DESTDIR)$(PREFIX)/share/man/man7/certferry-first-steps.7
	install -D -m 644 $(B)/certferry.conf.sample $(DESTDIR)$(PREFIX)/share/doc/certferry/certferry.conf.sample
	@# What only some builds have: the list of parts.
	@[ ! -e $(B)/certferry.cdx.json ] || \
	    install -D -m 644 $(B)/certferry.cdx.json $(DESTDIR)$(PREFIX)/share/doc/certferry/certferry.cdx.json

# ---- the first look ----------------------------------------------------------------------------------
demo: check-deps
	@$(MAKE) --no-print-directory program sandbox
	@test/sandbox/demo.sh $(B)

# ---- dependencies ---------------------------------------------------------------------------------
deps: ; @packaging/install-deps.sh
check-deps: ; @packaging/install-deps.sh --if-missing

clean: ; rm -rf build

help:
	@echo 'make            build the program and the sandbox'
	@echo 'make demo       the real agent against a stand-in cloud, CA and devices'
	@echo 'make test       every test, with sanitizers'
	@echo 'make deb rpm    packages, in build/packages; make test-packages tries them in a container'
	@echo 'make deps       install the Debian packages of packaging/dependencies.txt'
	@echo 'make lint asan fuzz crashloop bench cover install clean'
.PHONY: all program plugins sandbox man lint-man install demo deps check-deps clean help
