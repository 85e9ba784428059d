# Packages, and the list of what is in them.  Included by the top Makefile.

# ---- what the program is made of: CycloneDX, from the link itself -------------------------------------------
$(B)/certferry.cdx.json: $(B)/certferry $(PLUGINS) packaging/sbom.sh
	$(Q)packaging/sbom.sh $(VERSION) $(B)/certferry $(PLUGINS) > $@
sbom: $(B)/certferry.cdx.json

# ---- packages: in build/packages ----------------------------------------------------------------------------
deb: ; @packaging/build-deb.sh build/packages $(VERSION)
rpm: ; @packaging/build-rpm.sh build/packages $(VERSION)

# Install, upgrade, reboot and purge in a container; needs root, debootstrap and systemd-nspawn.  Says what it skips.
test-packages:
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=crash program plugins sandbox
	@if command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null; then $(MAKE) --no-print-directory deb; fi
	@B=build/crash TEST_LIMIT=1200 TEST_JOBS=1 test/run.sh $(wildcard test/packages/boot.sh test/packages/deb.sh)
.PHONY: sbom deb rpm test-packages
