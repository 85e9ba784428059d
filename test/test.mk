# Everything that tests.  Included by the top Makefile.

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
.SECONDARY: $(call obj,$(UNIT_C))

unit: $(UNIT)
	@test/run.sh $(UNIT)

# ---- the whole test run: sanitizer build, everything that prints TAP ---------------------------------
test: check-deps
	@$(MAKE) --no-print-directory VARIANT=asan test-programs
	@$(MAKE) --no-print-directory VARIANT=asan run-tests
asan: test
test-programs: $(UNIT)
run-tests:
	@test/run.sh $(UNIT)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: unit test asan test-programs run-tests format
