// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {RetirementRegistry} from "../src/RetirementRegistry.sol";
import {Batch, Cancellation, Invalidation, Issuance, Retirement, Totals} from "../src/types/Registration.sol";
import {Registrar} from "./support/Registrar.sol";
import {VM} from "./support/Vm.sol";

/// @dev A registrar that issues, retires, invalidates, repeats and cheats at random over a few small batches, with a
/// notebook in which every unit is ticked off as it is used.
contract Clerk is Registrar {
    uint256 public constant BATCHES = 3;
    uint64 private constant UNITS_MAX = 64;

    RetirementRegistry public immutable REGISTRY;
    mapping(uint256 batch => mapping(uint64 unit => uint256 times)) public used;
    mapping(uint256 batch => uint64 units) public retired;
    mapping(uint256 batch => uint64 units) public voided;
    uint256 public cancelledMgA;
    uint256 public cancelledMgB;
    Retirement[] private _retirements;
    Invalidation[] private _invalidations;
    Cancellation[] private _cancellations;

    constructor() {
        REGISTRY = deployRegistry();
    }

    function issue(uint256 name, uint64 amount) external {
        Issuance memory said = issuance(name % BATCHES, 1 + amount % UNITS_MAX);
        VM.prank(REGISTRAR);
        try REGISTRY.issueBatch(said) {} catch {}
    }

    function retire(uint256 name, uint64 start, uint64 amount) external {
        uint256 batch = name % BATCHES;
        Batch memory found = REGISTRY.batchOf(batchNamed(batch));
        Retirement memory said = retirement(_retirements.length, found, batch, amount % UNITS_MAX);
        // Half of the time it says the next unit, otherwise any.
        if (start % 2 == 1) said.start = start % UNITS_MAX;
        VM.prank(REGISTRAR);
        try REGISTRY.retire(said) returns (bool fresh) {
            VM.assertTrue(fresh);
            for (uint64 unit = said.start; unit < said.start + said.amount; ++unit) {
                ++used[batch][unit];
            }
            retired[batch] += said.amount;
            _retirements.push(said);
        } catch {}
    }

    function invalidate(uint256 name, uint64 end, uint64 amount) external {
        uint256 batch = name % BATCHES;
        Batch memory found = REGISTRY.batchOf(batchNamed(batch));
        Invalidation memory said = invalidation(_invalidations.length, found, batch, amount % (UNITS_MAX / 4));
        if (end % 2 == 1) said.end = end % UNITS_MAX;
        VM.prank(REGISTRAR);
        try REGISTRY.invalidate(said) returns (bool fresh) {
            VM.assertTrue(fresh);
            voided[batch] += said.amount;
            _invalidations.push(said);
        } catch {}
    }

    function cancel(uint64 epoch, uint64 mgA, uint64 mgB) external {
        Cancellation memory said = cancellation(epoch % 16, mgA, mgB);
        VM.prank(REGISTRAR);
        try REGISTRY.cancelEpoch(said) returns (bool fresh) {
            if (!fresh) return;
            cancelledMgA += mgA;
            cancelledMgB += mgB;
            _cancellations.push(said);
        } catch {}
    }

    /// @dev Everything that was told is told again, as after a lost answer: nothing changes.
    function tellAgain(uint256 which) external {
        VM.startPrank(REGISTRAR);
        if (_retirements.length > 0) VM.assertFalse(REGISTRY.retire(_retirements[which % _retirements.length]));
        if (_invalidations.length > 0) {
            VM.assertFalse(REGISTRY.invalidate(_invalidations[which % _invalidations.length]));
        }
        if (_cancellations.length > 0) {
            VM.assertFalse(REGISTRY.cancelEpoch(_cancellations[which % _cancellations.length]));
        }
        VM.stopPrank();
    }

    /// @dev A known retirement is claimed for somebody else.
    function steal(uint256 which, bytes32 beneficiary) external {
        if (_retirements.length == 0) return;
        Retirement memory said = _retirements[which % _retirements.length];
        if (said.beneficiaryCommit == beneficiary) return;
        said.beneficiaryCommit = beneficiary;
        VM.expectRevert();
        VM.prank(REGISTRAR);
        REGISTRY.retire(said);
    }

    function intrude(uint256 name, address sender) external {
        VM.assume(sender != REGISTRAR);
        Batch memory found = REGISTRY.batchOf(batchNamed(name % BATCHES));
        VM.expectRevert();
        VM.prank(sender);
        REGISTRY.retire(retirement(_retirements.length, found, name % BATCHES, 1));
    }

    function batchAt(uint256 name) external view returns (Batch memory) {
        return REGISTRY.batchOf(batchNamed(name));
    }
}

contract RetirementRegistryInvariantTest {
    Clerk private clerk;

    function setUp() public {
        clerk = new Clerk();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(clerk);
    }

    function invariant_noUnitIsRetiredTwiceNorBeyondTheCursor() public view {
        for (uint256 name = 0; name < clerk.BATCHES(); ++name) {
            Batch memory batch = clerk.batchAt(name);
            for (uint64 unit = 0; unit <= batch.issued + 1; ++unit) {
                VM.assertEq(clerk.used(name, unit), unit > 0 && unit <= batch.cursor ? 1 : 0);
            }
        }
    }

    function invariant_issuedIsRetiredPlusVoidPlusTheRest() public view {
        uint64 issued;
        uint64 retired;
        uint64 voided;
        for (uint256 name = 0; name < clerk.BATCHES(); ++name) {
            Batch memory batch = clerk.batchAt(name);
            VM.assertLe(batch.cursor, batch.end);
            VM.assertEq(batch.cursor, clerk.retired(name));
            VM.assertEq(batch.issued, batch.end + clerk.voided(name));
            issued += batch.issued;
            retired += batch.cursor;
            voided += batch.issued - batch.end;
        }
        Totals memory sums = clerk.REGISTRY().totals();
        VM.assertEq(sums.issued, issued);
        VM.assertEq(sums.retired, retired);
        VM.assertEq(sums.invalidated, voided);
        VM.assertEq(sums.cancelledMgA, clerk.cancelledMgA());
        VM.assertEq(sums.cancelledMgB, clerk.cancelledMgB());
    }
}
