// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {RetirementRegistry} from "../src/RetirementRegistry.sol";
import {IRetirementRegistry} from "../src/interfaces/IRetirementRegistry.sol";
import {EpochNumber} from "../src/types/EpochHeader.sol";
import {MethodologyKey} from "../src/types/Methodology.sol";
import {
    Batch,
    BatchId,
    Cancellation,
    Invalidation,
    Issuance,
    RecordHash,
    Retirement,
    Totals
} from "../src/types/Registration.sol";
import {Registrar} from "./support/Registrar.sol";
import {VM} from "./support/Vm.sol";

contract RetirementRegistryTest is Registrar {
    uint64 private constant ISSUED = 1000;
    RetirementRegistry private registry;
    Issuance private first;

    function setUp() public {
        registry = deployRegistry();
        first = issuance(1, ISSUED);
        VM.prank(REGISTRAR);
        registry.issueBatch(first);
    }

    function batch() private view returns (Batch memory) {
        return registry.batchOf(first.batchId);
    }

    /// @dev Retires the next units of the first batch.
    function retire(uint256 name, uint64 amount) private returns (Retirement memory said) {
        said = retirement(name, batch(), 1, amount);
        VM.prank(REGISTRAR);
        VM.assertTrue(registry.retire(said));
    }

    function invalidate(uint256 name, uint64 amount) private returns (Invalidation memory said) {
        said = invalidation(name, batch(), 1, amount);
        VM.prank(REGISTRAR);
        VM.assertTrue(registry.invalidate(said));
    }

    function refuse(bytes memory reason) private {
        VM.expectRevert(reason);
        VM.prank(REGISTRAR);
    }

    function meaningless(bytes32 field, uint256 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRetirementRegistry.RetirementRegistryMeaningless.selector, field, given);
    }

    function unknown(BatchId batchId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRetirementRegistry.RetirementRegistryUnknownBatch.selector, batchId);
    }

    function assertBatch(uint64 cursor, uint64 end) private view {
        Batch memory found = batch();
        VM.assertEq(found.issued, ISSUED);
        VM.assertEq(found.cursor, cursor);
        VM.assertEq(found.end, end);
    }

    function assertTotals(uint64 issued, uint64 retired, uint64 invalidated) private view {
        Totals memory sums = registry.totals();
        VM.assertEq(sums.issued, issued);
        VM.assertEq(sums.retired, retired);
        VM.assertEq(sums.invalidated, invalidated);
    }

    function test_issueBatch_keepsAndEmitsIt() public {
        Issuance memory second = issuance(2, 30);
        VM.expectEmit();
        emit IRetirementRegistry.BatchIssued(second.batchId, second);
        VM.prank(REGISTRAR);
        VM.assertTrue(registry.issueBatch(second));
        VM.assertEq(registry.batchOf(second.batchId).end, 30);
        assertBatch(0, ISSUED);
        assertTotals(ISSUED + 30, 0, 0);
    }

    function test_issueBatch_answersFalseToTheSameAgainHoweverFarTheBatchIs() public {
        retire(1, 400);
        invalidate(1, 100);
        VM.prank(REGISTRAR);
        VM.assertFalse(registry.issueBatch(first));
        assertBatch(400, 900);
        assertTotals(ISSUED, 400, 100);
    }

    function test_issueBatch_revertsOnOtherWordsAboutAKnownBatch() public {
        for (uint256 field = 0; field < 4; ++field) {
            Issuance memory other = first;
            if (field == 0) other.amount += 1;
            if (field == 1) other.vintage += 1;
            if (field == 2) other.epoch = EpochNumber.wrap(8);
            if (field == 3) other.methodologyKey = MethodologyKey.wrap(sha256("another"));
            VM.expectRevert();
            VM.prank(REGISTRAR);
            registry.issueBatch(other);
        }
        assertBatch(0, ISSUED);
    }

    function test_issueBatch_revertsOnWhatMeansNothing() public {
        Issuance memory said = issuance(2, 0);
        refuse(meaningless("amount", 0));
        registry.issueBatch(said);
        said = issuance(2, 1);
        said.epoch = EpochNumber.wrap(0);
        refuse(meaningless("epoch", 0));
        registry.issueBatch(said);
        uint32[3] memory months = [uint32(202_600), 202_613, 0];
        for (uint256 i = 0; i < months.length; ++i) {
            said = issuance(2, 1);
            said.vintage = months[i];
            refuse(meaningless("vintage", months[i]));
            registry.issueBatch(said);
        }
    }

    function test_retire_takesTheNextUnitsAndEmitsThem() public {
        Retirement memory said = retirement(1, batch(), 1, 300);
        VM.assertEq(said.start, 1);
        VM.expectEmit();
        emit IRetirementRegistry.UnitsRetired(said.retirementId, said.batchId, said);
        VM.prank(REGISTRAR);
        VM.assertTrue(registry.retire(said));
        assertBatch(300, ISSUED);
        VM.assertEq(retire(2, 700).start, 301);
        assertBatch(ISSUED, ISSUED);
        assertTotals(ISSUED, ISSUED, 0);
    }

    function test_retire_answersFalseToTheSameAgain() public {
        Retirement memory said = retire(1, 300);
        retire(2, 1);
        VM.prank(REGISTRAR);
        VM.assertFalse(registry.retire(said));
        assertBatch(301, ISSUED);
        assertTotals(ISSUED, 301, 0);
    }

    function test_retire_revertsOnOtherWordsAboutAKnownRetirement() public {
        Retirement memory said = retire(1, 300);
        RecordHash known = registry.retirementOf(said.retirementId);
        said.beneficiaryCommit = "somebody else";
        VM.expectRevert();
        VM.prank(REGISTRAR);
        registry.retire(said);
        VM.assertTrue(registry.retirementOf(said.retirementId) == known);
    }

    /// @dev Two clients that believe the batch to stand at the same unit: the second is refused.
    function test_retire_revertsUnlessItStartsAtTheCursor() public {
        Retirement memory late = retirement(2, batch(), 1, 10);
        retire(1, 300);
        bytes4 reason = IRetirementRegistry.RetirementRegistryOutOfOrder.selector;
        refuse(abi.encodeWithSelector(reason, late.batchId, 301, 1));
        registry.retire(late);
        late.start = 302;
        refuse(abi.encodeWithSelector(reason, late.batchId, 301, 302));
        registry.retire(late);
        assertBatch(300, ISSUED);
    }

    function test_retire_revertsOnMoreThanIsLeft() public {
        retire(1, 300);
        invalidate(1, 100);
        Retirement memory said = retirement(2, batch(), 1, 601);
        bytes4 reason = IRetirementRegistry.RetirementRegistryExhausted.selector;
        refuse(abi.encodeWithSelector(reason, said.batchId, 600, 601));
        registry.retire(said);
        retire(3, 600);
        said = retirement(4, batch(), 1, 1);
        refuse(abi.encodeWithSelector(reason, said.batchId, 0, 1));
        registry.retire(said);
    }

    function test_retire_revertsOnWhatMeansNothing() public {
        Retirement memory said = retirement(1, batch(), 1, 0);
        refuse(meaningless("amount", 0));
        registry.retire(said);
        said.amount = 1;
        said.purpose = 0;
        refuse(meaningless("purpose", 0));
        registry.retire(said);
        said.purpose = 1;
        said.batchId = batchNamed(2);
        refuse(unknown(said.batchId));
        registry.retire(said);
    }

    function test_invalidate_lowersTheEndAndEmitsIt() public {
        retire(1, 300);
        Invalidation memory said = invalidation(1, batch(), 1, 700);
        VM.expectEmit();
        emit IRetirementRegistry.UnitsInvalidated(said.invalidationId, said.batchId, said);
        VM.prank(REGISTRAR);
        VM.assertTrue(registry.invalidate(said));
        VM.prank(REGISTRAR);
        VM.assertFalse(registry.invalidate(said));
        assertBatch(300, 300);
        assertTotals(ISSUED, 300, 700);
    }

    function test_invalidate_neverReachesWhatIsRetired() public {
        retire(1, 300);
        Invalidation memory said = invalidation(1, batch(), 1, 701);
        bytes4 reason = IRetirementRegistry.RetirementRegistryExhausted.selector;
        refuse(abi.encodeWithSelector(reason, said.batchId, 700, 701));
        registry.invalidate(said);
        assertBatch(300, ISSUED);
    }

    function test_invalidate_revertsElsewhereOrOnWhatMeansNothing() public {
        Invalidation memory said = invalidation(1, batch(), 1, 1);
        said.end = 999;
        refuse(
            abi.encodeWithSelector(IRetirementRegistry.RetirementRegistryOutOfOrder.selector, said.batchId, 1000, 999)
        );
        registry.invalidate(said);
        said.amount = 0;
        refuse(meaningless("amount", 0));
        registry.invalidate(said);
        said.batchId = batchNamed(2);
        refuse(unknown(said.batchId));
        registry.invalidate(said);
        said = invalidate(2, 5);
        said.amount = 6;
        VM.expectRevert();
        VM.prank(REGISTRAR);
        registry.invalidate(said);
        assertBatch(0, 995);
    }

    function test_cancelEpoch_notesAnEpochOnce() public {
        Cancellation memory said = cancellation(1, 5, 7);
        VM.expectEmit();
        emit IRetirementRegistry.EpochCancelled(said.epoch, said);
        VM.startPrank(REGISTRAR);
        VM.assertTrue(registry.cancelEpoch(said));
        VM.assertFalse(registry.cancelEpoch(said));
        VM.assertTrue(registry.cancelEpoch(cancellation(3, 0, 2)));
        RecordHash known = registry.cancellationOf(said.epoch);
        said.totalMgB = 8;
        VM.expectRevert();
        registry.cancelEpoch(said);
        VM.stopPrank();
        VM.assertTrue(registry.cancellationOf(said.epoch) == known);
        VM.assertTrue(registry.cancellationOf(EpochNumber.wrap(2)) == RecordHash.wrap(0));
        VM.assertEq(registry.totals().cancelledMgA, 5);
        VM.assertEq(registry.totals().cancelledMgB, 9);
    }

    function test_cancelEpoch_revertsOnWhatMeansNothing() public {
        refuse(meaningless("epoch", 0));
        registry.cancelEpoch(cancellation(0, 1, 1));
        refuse(meaningless("total", 0));
        registry.cancelEpoch(cancellation(1, 0, 0));
    }

    function test_writing_revertsForStrangersAndForTheAdmin() public {
        address[2] memory senders = [INTRUDER, KEEPER];
        for (uint256 i = 0; i < senders.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, senders[i], registry.REGISTRAR_ROLE()
            );
            Batch memory found = batch();
            VM.startPrank(senders[i]);
            VM.expectRevert(reason);
            registry.issueBatch(issuance(2, 1));
            VM.expectRevert(reason);
            registry.retire(retirement(1, found, 1, 1));
            VM.expectRevert(reason);
            registry.invalidate(invalidation(1, found, 1, 1));
            VM.expectRevert(reason);
            registry.cancelEpoch(cancellation(1, 1, 1));
            VM.stopPrank();
        }
    }

    function test_writing_revertsOnceTheRoleIsRevoked() public {
        VM.startPrank(KEEPER);
        registry.revokeRole(registry.REGISTRAR_ROLE(), REGISTRAR);
        VM.stopPrank();
        Retirement memory said = retirement(1, batch(), 1, 1);
        VM.expectRevert();
        VM.prank(REGISTRAR);
        registry.retire(said);
        assertBatch(0, ISSUED);
    }

    function testFuzz_retire_recordIsThatOfTheSpecification(Retirement memory said) public {
        said.batchId = first.batchId;
        said.start = 1;
        said.amount = 1 + said.amount % ISSUED;
        if (said.purpose == 0) said.purpose = 1;
        VM.prank(REGISTRAR);
        VM.assertTrue(registry.retire(said));
        bytes memory units = abi.encodePacked(said.retirementId, said.batchId, said.start, said.amount, said.purpose);
        bytes32 want = sha256(
            abi.encodePacked(
                sha256("carbon-anchor/v1/retirement-record"), units, said.beneficiaryCommit, said.evidenceHash
            )
        );
        VM.assertEq(RecordHash.unwrap(registry.retirementOf(said.retirementId)), want);
    }

    function testFuzz_issueBatch_neverOverwrites(Issuance memory other) public {
        other.batchId = first.batchId;
        bytes32 before = keccak256(abi.encode(batch()));
        VM.prank(REGISTRAR);
        try registry.issueBatch(other) returns (bool fresh) {
            VM.assertFalse(fresh);
        } catch {}
        VM.assertEq(keccak256(abi.encode(batch())), before);
    }

    function testFuzz_retire_neverOverwrites(Retirement memory other) public {
        Retirement memory said = retire(1, 300);
        other.retirementId = said.retirementId;
        RecordHash known = registry.retirementOf(said.retirementId);
        VM.prank(REGISTRAR);
        try registry.retire(other) returns (bool fresh) {
            VM.assertFalse(fresh);
        } catch {}
        VM.assertTrue(registry.retirementOf(said.retirementId) == known);
        assertBatch(300, ISSUED);
    }

    function testFuzz_invalidate_neverOverwrites(Invalidation memory other) public {
        Invalidation memory said = invalidate(1, 300);
        other.invalidationId = said.invalidationId;
        VM.prank(REGISTRAR);
        try registry.invalidate(other) returns (bool fresh) {
            VM.assertFalse(fresh);
        } catch {}
        assertBatch(0, 700);
    }
}
