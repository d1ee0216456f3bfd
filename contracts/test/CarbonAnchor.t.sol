// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {CarbonAnchor} from "../src/CarbonAnchor.sol";
import {ICarbonAnchor} from "../src/interfaces/ICarbonAnchor.sol";
import {EpochHeader, EpochNumber, HeaderHash, OriginTag} from "../src/types/EpochHeader.sol";
import {Ledger} from "./support/Ledger.sol";
import {VM} from "./support/Vm.sol";

contract CarbonAnchorTest is Ledger {
    CarbonAnchor private log;
    EpochHeader private first;
    HeaderHash private firstHash;

    function setUp() public {
        log = deploy();
        first = firstHeader();
        firstHash = log.hashHeader(first);
    }

    function second() private view returns (EpochHeader memory) {
        return after_(first, firstHash);
    }

    function expectRefusal(EpochHeader memory header, bytes memory reason) private {
        VM.expectRevert(reason);
        anchor(log, header);
        VM.assertEq(HeaderHash.unwrap(log.headerHashOf(header.epoch)), bytes32(0));
    }

    function test_anchor_storesTheHashAndEmitsEveryField() public {
        VM.expectEmit();
        emit ICarbonAnchor.EpochAnchored(first.epoch, firstHash, first);
        VM.assertTrue(anchor(log, first));
        (EpochNumber epoch, HeaderHash hash) = log.latest();
        VM.assertEq(EpochNumber.unwrap(epoch), 1);
        assertSame(hash, firstHash);
        assertSame(log.headerHashOf(first.epoch), firstHash);
    }

    function test_anchor_takesOneEpochAfterAnother() public {
        EpochHeader memory header = first;
        for (uint64 epoch = 1; epoch <= 5; ++epoch) {
            VM.assertTrue(anchor(log, header));
            header = after_(header, log.hashHeader(header));
        }
        (EpochNumber last,) = log.latest();
        VM.assertEq(EpochNumber.unwrap(last), 5);
        assertSame(log.headerHashOf(EpochNumber.wrap(1)), firstHash);
    }

    function test_anchor_answersFalseToTheSameHeaderAgain() public {
        anchor(log, first);
        VM.assertFalse(anchor(log, first));
        anchor(log, second());
        VM.assertFalse(anchor(log, first));
        (EpochNumber last,) = log.latest();
        VM.assertEq(EpochNumber.unwrap(last), 2);
    }

    function test_anchor_revertsOnAnotherHeaderForAnAnchoredEpoch() public {
        anchor(log, first);
        EpochHeader memory other = copyOf(first);
        other.closedAt += 1;
        HeaderHash given = log.hashHeader(other);
        VM.expectRevert(
            abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorEquivocation.selector, first.epoch, firstHash, given)
        );
        anchor(log, other);
        assertSame(log.headerHashOf(first.epoch), firstHash);
    }

    function test_anchor_revertsIfAnEpochIsSkippedOrZero() public {
        EpochHeader memory skipped = second();
        bytes4 reason = ICarbonAnchor.CarbonAnchorOutOfOrder.selector;
        expectRefusal(skipped, abi.encodeWithSelector(reason, 1, 2));
        EpochHeader memory zero = copyOf(first);
        zero.epoch = EpochNumber.wrap(0);
        expectRefusal(zero, abi.encodeWithSelector(reason, 1, 0));
    }

    function test_anchor_revertsIfTheLinkIsBroken() public {
        anchor(log, first);
        EpochHeader memory header = second();
        header.prevHeader = HeaderHash.wrap(bytes32(uint256(1)));
        expectRefusal(
            header, abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorBrokenLink.selector, firstHash, header.prevHeader)
        );
    }

    function test_anchor_revertsForAnotherLedger() public {
        EpochHeader memory header = copyOf(first);
        header.originTag = OriginTag.wrap(bytes32(uint256(7)));
        expectRefusal(
            header, abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorWrongOrigin.selector, ORIGIN, header.originTag)
        );
    }

    function test_anchor_revertsIfAFigureDecreases() public {
        first.co2Debits = 200;
        firstHash = log.hashHeader(first);
        anchor(log, first);
        bytes4 reason = ICarbonAnchor.CarbonAnchorDecreased.selector;

        EpochHeader memory header = second();
        header.closedAt = first.closedAt;
        expectRefusal(header, abi.encodeWithSelector(reason, bytes32("closedAt"), first.closedAt, first.closedAt));
        header = second();
        header.logSize = 0;
        expectRefusal(header, abi.encodeWithSelector(reason, bytes32("logSize"), 1, 0));
        header = second();
        header.co2Credits = 1233;
        header.co2Debits = 1233;
        expectRefusal(header, abi.encodeWithSelector(reason, bytes32("co2Credits"), 1234, 1233));
        header = second();
        header.co2Debits = 199;
        expectRefusal(header, abi.encodeWithSelector(reason, bytes32("co2Debits"), 200, 199));
    }

    function test_anchor_takesAnEpochInWhichNothingHappened() public {
        anchor(log, first);
        EpochHeader memory quiet = copyOf(first);
        quiet.epoch = EpochNumber.wrap(2);
        quiet.closedAt += 1;
        quiet.prevHeader = firstHash;
        VM.assertTrue(anchor(log, quiet));
    }

    function test_anchor_revertsIfMoreWasTakenOutThanPutIn() public {
        EpochHeader memory header = copyOf(first);
        header.co2Debits = 1235;
        bytes4 reason = ICarbonAnchor.CarbonAnchorOverdrawn.selector;
        expectRefusal(header, abi.encodeWithSelector(reason, bytes32("co2"), 1234, 1235));
        header = copyOf(first);
        header.ptsDebits = 124;
        expectRefusal(header, abi.encodeWithSelector(reason, bytes32("pts"), 123, 124));
    }

    function test_anchor_revertsForAStrangerAndForTheAdmin() public {
        address[2] memory senders = [STRANGER, ADMIN];
        for (uint256 i = 0; i < senders.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, senders[i], log.ANCHOR_ROLE()
            );
            VM.expectRevert(reason);
            VM.prank(senders[i]);
            log.anchor(first, NONE);
        }
    }

    function test_anchor_revertsOnceTheRoleIsRevoked() public {
        anchor(log, first);
        VM.startPrank(ADMIN);
        log.revokeRole(log.ANCHOR_ROLE(), ANCHORER);
        VM.stopPrank();
        VM.expectRevert();
        anchor(log, second());
    }

    function test_pause_stopsAnchorsUntilTheAdminResumes() public {
        VM.prank(PAUSER);
        log.pause();
        expectRefusal(first, abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        VM.expectRevert();
        VM.prank(PAUSER);
        log.unpause();
        VM.prank(ADMIN);
        log.unpause();
        VM.assertTrue(anchor(log, first));
    }

    function test_pause_revertsForAllButThePauser() public {
        VM.expectRevert();
        VM.prank(ADMIN);
        log.pause();
        VM.expectRevert();
        VM.prank(STRANGER);
        log.pause();
    }

    function test_flag_emitsAndLeavesTheAnchor() public {
        anchor(log, first);
        VM.expectEmit();
        emit ICarbonAnchor.EpochFlagged(first.epoch, "reason");
        VM.prank(ADMIN);
        log.flag(first.epoch, "reason");
        assertSame(log.headerHashOf(first.epoch), firstHash);
    }

    function test_flag_revertsForAnUnknownEpochAndForOthers() public {
        VM.expectRevert(abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorUnknownEpoch.selector, EpochNumber.wrap(1)));
        VM.prank(ADMIN);
        log.flag(first.epoch, "reason");
        anchor(log, first);
        VM.expectRevert();
        VM.prank(ANCHORER);
        log.flag(first.epoch, "reason");
    }

    function test_constructor_continuesAnotherChain() public {
        CarbonAnchor moved = deployAt(EpochNumber.wrap(2), firstHash);
        VM.assertEq(EpochNumber.unwrap(moved.startEpoch()), 2);
        (EpochNumber last, HeaderHash hash) = moved.latest();
        VM.assertEq(EpochNumber.unwrap(last), 1);
        assertSame(hash, firstHash);
        VM.assertTrue(anchor(moved, second()));
        VM.assertFalse(anchor(moved, first));
    }

    function test_constructor_revertsOnAnImpossibleStart() public {
        bytes4 reason = ICarbonAnchor.CarbonAnchorInvalidStart.selector;
        VM.expectRevert(abi.encodeWithSelector(reason, 0, NO_HASH));
        new CarbonAnchor(EpochNumber.wrap(0), NO_HASH, ORIGIN, ADMIN, DELAY);
        VM.expectRevert(abi.encodeWithSelector(reason, 2, NO_HASH));
        new CarbonAnchor(EpochNumber.wrap(2), NO_HASH, ORIGIN, ADMIN, DELAY);
        VM.expectRevert(abi.encodeWithSelector(reason, 1, firstHash));
        new CarbonAnchor(EpochNumber.wrap(1), firstHash, ORIGIN, ADMIN, DELAY);
    }

    function test_admin_changesHandsOnlyAfterTheDelay() public {
        VM.warp(1_000_000);
        VM.assertEq(log.defaultAdminDelay(), 48 hours);
        VM.prank(ADMIN);
        log.beginDefaultAdminTransfer(STRANGER);
        VM.warp(1_000_000 + 48 hours);
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, 1_000_000 + 48 hours
            )
        );
        VM.prank(STRANGER);
        log.acceptDefaultAdminTransfer();
        VM.warp(1_000_000 + 48 hours + 1);
        VM.prank(STRANGER);
        log.acceptDefaultAdminTransfer();
        VM.assertEq(log.defaultAdmin(), STRANGER);
    }

    function test_headerHashOf_hasTheSelectorThatVerifiersHardCode() public pure {
        VM.assertEq(bytes32(ICarbonAnchor.headerHashOf.selector), bytes32(bytes4(0x6b5b338d)));
    }

    function testFuzz_anchor_takesWhatContinuesAndRefusesWhatDoesNot(EpochHeader memory header) public {
        anchor(log, first);
        header.originTag = ORIGIN;
        header.epoch = EpochNumber.wrap(2);
        header.prevHeader = firstHash;
        bool continues = header.closedAt > first.closedAt && header.logSize >= first.logSize
            && header.co2Credits >= first.co2Credits && header.co2Debits >= first.co2Debits
            && header.co2Debits <= header.co2Credits && header.ptsDebits <= header.ptsCredits;
        if (!continues) VM.expectRevert();
        bool fresh = anchor(log, header);
        VM.assertEq(fresh, continues);
        HeaderHash want = continues ? log.hashHeader(header) : NO_HASH;
        assertSame(log.headerHashOf(header.epoch), want);
    }

    function testFuzz_anchor_neverOverwrites(EpochHeader memory header) public {
        anchor(log, first);
        header.epoch = first.epoch;
        HeaderHash given = log.hashHeader(header);
        VM.assume(given != firstHash);
        VM.expectRevert(
            abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorEquivocation.selector, first.epoch, firstHash, given)
        );
        anchor(log, header);
        assertSame(log.headerHashOf(first.epoch), firstHash);
    }
}
