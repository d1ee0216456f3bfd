// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarbonAnchor} from "../src/CarbonAnchor.sol";
import {MethodologyRegistry} from "../src/MethodologyRegistry.sol";
import {RetirementRegistry} from "../src/RetirementRegistry.sol";
import {EpochHeader, EpochNumber, HeaderHash} from "../src/types/EpochHeader.sol";
import {ContentHash, Day, NO_END} from "../src/types/Methodology.sol";
import {Batch} from "../src/types/Registration.sol";
import {Ledger} from "./support/Ledger.sol";
import {Registrar} from "./support/Registrar.sol";
import {VM} from "./support/Vm.sol";

/// @dev Gas of each call as a transaction of its own (base cost, calldata and cold storage included), held against
/// its budget and written to snapshots/Gas.json, from which scripts/gas.mjs makes the table in docs/contracts.md.
/// forge-config: default.isolate = true
contract GasTest is Ledger, Registrar {
    CarbonAnchor private log;
    EpochHeader private header;

    function setUp() public {
        log = deploy();
        header = firstHeader();
    }

    function test_gas_anchor() public {
        anchor(log, header);
        within("anchor, first header of the contract", 125_000);
        advance();
        anchor(log, header);
        within("anchor, every later header", 90_000);
        anchor(log, header);
        within("anchor, same header again", 50_000);
    }

    function test_gas_anchorWithAttestors() public {
        uint64[3] memory budgets = [uint64(100_000), 110_000, 120_000];
        VM.startPrank(ADMIN);
        for (uint256 key = 1; key <= 3; ++key) {
            log.grantRole(log.ATTESTOR_ROLE(), VM.addr(key));
        }
        VM.stopPrank();
        anchor(log, header);
        for (uint8 count = 1; count <= 3; ++count) {
            VM.prank(ADMIN);
            log.setThreshold(count);
            advance();
            bytes[] memory signatures = attested(count);
            VM.prank(ANCHORER);
            log.anchor(header, signatures);
            within(string.concat("anchor, attestors: ", VM.toString(count)), budgets[count - 1]);
        }
    }

    function test_gas_roles() public {
        VM.prank(PAUSER);
        log.pause();
        within("pause", 60_000);
        VM.prank(ADMIN);
        log.unpause();
        within("unpause", 60_000);
        anchor(log, header);
        VM.prank(ADMIN);
        log.flag(header.epoch, "reason");
        within("flag", 35_000);
    }

    function test_gas_methodologies() public {
        MethodologyRegistry registry = new MethodologyRegistry(ADMIN, DELAY);
        VM.startPrank(ADMIN);
        registry.grantRole(registry.PUBLISHER_ROLE(), ADMIN);
        publish(registry, 1);
        publish(registry, 2);
        within("publish a methodology version", 135_000);
        registry.supersede(registry.methodologyKey("SZ-METRO", 1), registry.methodologyKey("SZ-METRO", 2));
        within("supersede it", 45_000);
        registry.withdraw(registry.methodologyKey("SZ-METRO", 1), "reason");
        within("withdraw it", 45_000);
        VM.stopPrank();
    }

    function test_gas_units() public {
        RetirementRegistry registry = deployRegistry();
        VM.startPrank(REGISTRAR);
        registry.issueBatch(issuance(1, 1000));
        registry.issueBatch(issuance(2, 1000));
        within("issue a batch", 85_000);
        Batch memory batch = registry.batchOf(batchNamed(1));
        registry.retire(retirement(1, batch, 1, 10));
        batch = registry.batchOf(batchNamed(1));
        registry.retire(retirement(2, batch, 1, 10));
        within("retire", 70_000);
        registry.retire(retirement(2, batch, 1, 10));
        within("retire, same again", 35_000);
        registry.invalidate(invalidation(1, batch, 1, 10));
        within("invalidate", 70_000);
        registry.cancelEpoch(cancellation(1, 5, 7));
        registry.cancelEpoch(cancellation(2, 5, 7));
        within("cancel an epoch's reductions", 65_000);
        VM.stopPrank();
    }

    function publish(MethodologyRegistry registry, uint32 version) private {
        registry.publish("SZ-METRO", version, ContentHash.wrap(sha256("document")), Day.wrap(18_978), NO_END);
    }

    function within(string memory what, uint256 budget) private {
        uint256 used = VM.lastCallGas().gasTotalUsed;
        VM.snapshotValue("Gas", what, used);
        VM.assertLe(used, budget);
    }

    function advance() private {
        header = after_(header, log.hashHeader(header));
    }

    function attested(uint256 count) private view returns (bytes[] memory signatures) {
        bytes32 digest = log.attestationDigest(header.epoch, log.hashHeader(header));
        signatures = new bytes[](count);
        // In the order of their addresses.
        uint256[3] memory keys = [uint256(2), 3, 1];
        for (uint256 i = 0; i < count; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = VM.sign(keys[i], digest);
            signatures[i] = abi.encodePacked(r, s, v);
        }
    }
}
