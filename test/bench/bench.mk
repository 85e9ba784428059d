# The benchmark suite; test/bench/DESIGN.md.  Included by test/test.mk.
#
#   make bench                 everything, about a quarter of an hour on two cores
#   make bench QUICK=1         the same in small, under three minutes
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

bench-programs: program sandbox $(B)/bench/floor $(B)/bench/slowsync.so
bench: bench-programs
	@python3 -B test/bench/run.py --build $(B) --out build/bench/result.json $(if $(QUICK),--quick) \
	    $(if $(ONLY),--only $(ONLY)) $(if $(STRICT),--strict)
bench-floor: $(B)/bench/floor
	@$(B)/bench/floor
.PHONY: bench bench-programs bench-floor
