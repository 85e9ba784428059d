# The benchmark suite; test/bench/DESIGN.md.  Included by test/test.mk.
#
#   make bench                 everything, about half an hour on two cores
#   make bench QUICK=1         the same in small, about four minutes
#   make bench ONLY=W2,W11     some workloads
#   make bench STRICT=1        fails when a target is missed
#   make bench-floor           only what a request cannot cost less than
BENCH_OBJ = $(call obj,$(wildcard test/bench/floor*.c))
$(B)/bench/floor: $(BENCH_OBJ) $(B)/libcerts.a
	@mkdir -p $(@D)
	$(LINK) $^ $(LIBS_certs)

# Loaded in front of the C library of the program under test, so without the program's flags.
$(B)/bench/slowsync.so: test/bench/slowsync.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -shared -o $@ $<

# Writes its messages with the tests' own encoders, not with those of the product.
SCEP_LOAD_OBJ = $(call obj,$(wildcard test/bench/scep_*.c) test/scep/der.c test/scep/envelope.c test/scep/identity.c \
                test/scep/message.c test/scep/pkcs10.c test/sandbox/text.c test/sandbox/text_read.c)
$(B)/bench/scep_load: $(SCEP_LOAD_OBJ)
	@mkdir -p $(@D)
	$(LINK) $^ -lssl -lcrypto -lpthread

bench-programs: program plugins sandbox $(B)/bench/floor $(B)/bench/slowsync.so $(B)/bench/scep_load
bench: bench-programs
	@python3 -B test/bench/run.py --build $(B) --out build/bench/result.json $(if $(QUICK),--quick) \
	    $(if $(ONLY),--only $(ONLY)) $(if $(STRICT),--strict)
bench-floor: $(B)/bench/floor
	@$(B)/bench/floor
.PHONY: bench bench-programs bench-floor
