# Everything that tests.  Included by the top Makefile.

# Builds that nobody watches use every processor, unless make was told otherwise.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# ---- unit tests: test/unit/<layer>_<file>.c, linked with that layer and those below only ------------
UNIT_C = $(wildcard test/unit/*.c)
UNIT   = $(patsubst test/unit/%.c,$(B)/unit/%,$(UNIT_C))

$(B)/unit/certs_%: $(B)/test/unit/certs_%.o $(B)/libcerts.a
	@mkdir -p $(@D)
	$(LINK) $^ -lcmocka $(LIBS_certs)
$(B)/unit/proto_%: $(B)/test/unit/proto_%.o $(B)/libproto.a $(B)/libcerts.a
	@mkdir -p $(@D)
	$(LINK) $^ -lcmocka $(LIBS_proto)
$(B)/unit/agent_%: $(B)/test/unit/agent_%.o $(B)/libagent.a $(B)/libproto.a $(B)/libcerts.a
	@mkdir -p $(@D)
	$(LINK) $^ -lcmocka $(LIBS_agent)
$(B)/unit/plugin_%: $(B)/test/unit/plugin_%.o
	@mkdir -p $(@D)
	$(LINK) $^ -lcmocka -ljson-c
# plugins that are wrong in one way each, for agent_plugin*
PLUGIN_TESTS = $(patsubst test/plugins/%.c,$(B)/test/plugins/%.so,$(wildcard test/plugins/*.c))
$(B)/test/plugins/%.so: test/plugins/%.c $(wildcard test/plugins/*.h) agent/certferry_plugin.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -fPIE,$(ALLFLAGS)) -fPIC -fvisibility=hidden -shared -o $@ $<
.SECONDARY: $(call obj,$(UNIT_C))

unit: $(UNIT) $(PLUGIN_TESTS)
	@B=$(B) test/run.sh $(UNIT)

# ---- simulator: the agent without agent/io, on a virtual clock ---------------------------------------
SIM_C    = $(wildcard test/sim/*.c)
SIM_NOT  = agent/io/io_%.c agent/cli/% agent/doctor/% agent/probe/% agent/control/control_client.c
SIM_OBJ  = $(call obj,$(SIM_C) $(filter-out $(SIM_NOT),$(AGENT_C)))
SCENARIOS = $(wildcard test/sim/*.scn)
$(B)/sim/sweep: $(SIM_OBJ) $(B)/libproto.a $(B)/libcerts.a | $(B)/plugins/ccp.so
	@mkdir -p $(@D)
	$(LINK) $^ -lsqlite3 -lconfuse $(LIBS_proto)
# Every single fault at every place.
sim:
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=rel build/rel/sim/sweep
	build/rel/sim/sweep $(SCENARIOS)
# The driver broken on purpose: every mutation must be noticed.
mutations:
	@test/sim/mutations.sh
# Every pair of faults over every scenario: some minutes.
sweep:
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=rel build/rel/sim/sweep
	build/rel/sim/sweep --pairs $(SCENARIOS)

# ---- fuzzing: libFuzzer with clang; make test replays the corpora with gcc ------------------------------
FUZZ_C  = $(wildcard test/fuzz/fuzz_*.c)
FUZZ    = $(patsubst test/fuzz/%.c,build/fuzz/%,$(FUZZ_C))
SECONDS_EACH ?= $(or $(SECONDS),60)
fuzz:
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=fuzz CC=clang $(FUZZ)
	@test/fuzz/fuzz.sh $(SECONDS_EACH) $(FUZZ)
build/fuzz/fuzz_%: build/fuzz/test/fuzz/fuzz_%.o build/fuzz/libagent.a build/fuzz/libproto.a build/fuzz/libcerts.a
	$(LINK) $^ -fsanitize=fuzzer $(LIBS_agent)
$(B)/replay/fuzz_%: $(B)/test/fuzz/fuzz_%.o $(B)/test/fuzz/replay.o $(B)/libagent.a $(B)/libproto.a $(B)/libcerts.a
	@mkdir -p $(@D)
	$(LINK) $^ $(LIBS_agent)
REPLAY = $(patsubst test/fuzz/%.c,$(B)/replay/%,$(FUZZ_C))
.SECONDARY: $(call obj,$(FUZZ_C) test/fuzz/replay.c)

# ---- writes every kind of file for the readers of test/interop ------------------------------------------------
$(B)/interop/p12_readers: $(B)/test/interop/p12_readers.o $(B)/libcerts.a
	@mkdir -p $(@D)
	$(LINK) $^ -lcmocka $(LIBS_certs)

# ---- SCEP devices, and messages from nobody who means well --------------------------------------------------
SCEP_MAIN = test/scep/device.c test/scep/hostile.c test/scep/responder.c
SCEP_C    = $(filter-out $(SCEP_MAIN),$(wildcard test/scep/*.c)) \
            $(patsubst %,test/sandbox/%.c,text text_read dir clock tls_client js scan)
SCEP      = $(B)/scep-device $(B)/scep-hostile $(B)/scep-responder
$(B)/scep-%: $(B)/test/scep/%.o $(call obj,$(SCEP_C))
	$(LINK) $^ -ljson-c -lssl -lcrypto -lpthread -lm
.SECONDARY: $(call obj,$(SCEP_MAIN) $(SCEP_C))

# ---- scripts that print TAP -------------------------------------------------------------------------------
SCRIPTS = $(wildcard test/interop/*.sh test/live/*.sh test/scep/*.sh)
# Begun first, so that nothing has to wait for them alone at the end.
SLOW    = $(patsubst %,test/%.sh,live/signin_service scep/hostile live/canaries live/agent_faults \
            live/scep_intune_faults live/json_schemas interop/signin_selftest live/scep_plugin_exec interop/p12_readers)

# ---- the whole test run: sanitizer build, everything that prints TAP ---------------------------------------
test: check-deps
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=asan test-programs
	@$(MAKE) --no-print-directory VARIANT=asan run-tests
asan: test
test-programs: program plugins sandbox $(UNIT) $(PLUGIN_TESTS) $(B)/sim/sweep $(REPLAY) $(B)/interop/p12_readers \
    $(SCEP)
run-tests:
	@B=$(B) test/run.sh test/sim/singles.sh $(SLOW) $(filter-out $(SLOW),$(SCRIPTS)) $(UNIT) $(REPLAY)

# N kills for PKCS and SCEP_N for SCEP, a quarter as many, because each takes four times as long.
crashloop:
	@$(MAKE) --no-print-directory VARIANT=crash program plugins sandbox build/crash/scep-device
	@B=build/crash test/crash/crashloop.sh $(or $(N),1000)
	@B=build/crash test/crash/scep_crashloop.sh $(or $(SCEP_N),$(shell expr $(or $(N),1000) / 4))

lint:
	@test/lint.sh
	@$(MAKE) --no-print-directory $(PARALLEL) lint-clang
	@if command -v mandoc >/dev/null; then $(MAKE) --no-print-directory lint-man; else echo 'lint: no mandoc, manual pages not looked at'; fi
# The same warnings from the other compiler.
lint-clang: $(patsubst %.c,lint-clang/%,$(CERTS_C) $(PROTO_C) $(AGENT_C) agent/main.c $(PLUGINS_C) $(SANDBOX_C) $(SIM_C) $(wildcard test/scep/*.c))
lint-clang/%: ; @clang $(CPPFLAGS) $(filter-out -Wno-format-truncation,$(WARN)) $(CFLAGS_proto) $(CFLAGS_agent) -fsyntax-only $*.c

cover:
	@$(MAKE) --no-print-directory VARIANT=cover test-programs
	@$(MAKE) --no-print-directory VARIANT=cover run-tests
	@test/cover.sh

-include test/bench/bench.mk

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: unit sim sweep mutations fuzz test asan test-programs run-tests crashloop lint lint-clang lint-clang/% cover format
