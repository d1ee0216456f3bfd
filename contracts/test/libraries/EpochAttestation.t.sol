// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {CarbonAnchor} from "../../src/CarbonAnchor.sol";
import {ICarbonAnchor} from "../../src/interfaces/ICarbonAnchor.sol";
import {EpochHeader, EpochNumber, HeaderHash} from "../../src/types/EpochHeader.sol";
import {Ledger} from "../support/Ledger.sol";
import {VM} from "../support/Vm.sol";

contract EpochAttestationTest is Ledger {
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    CarbonAnchor private log;
    EpochHeader private header;
    bytes32 private digest;
    uint256[] private keys;

    function setUp() public {
        log = deploy();
        header = firstHeader();
        digest = log.attestationDigest(header.epoch, log.hashHeader(header));
        keys = sortedBySigner([uint256(11), 22, 33]);
        VM.startPrank(ADMIN);
        for (uint256 i = 0; i < keys.length; ++i) {
            log.grantRole(log.ATTESTOR_ROLE(), VM.addr(keys[i]));
        }
        log.setThreshold(2);
        VM.stopPrank();
    }

    function test_digest_isThatOfEip712() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("CarbonAnchor"),
                keccak256("1"),
                block.chainid,
                address(log)
            )
        );
        VM.assertEq(log.domainSeparator(), domain);
        bytes32 message = keccak256(
            abi.encode(
                keccak256("EpochAttestation(uint64 epoch,bytes32 headerHash)"), uint64(1), log.hashHeader(header)
            )
        );
        VM.assertEq(digest, keccak256(abi.encodePacked("\x19\x01", domain, message)));
    }

    function test_digest_differsOnAnotherChainAndForAnotherContract() public {
        HeaderHash hash = log.hashHeader(header);
        CarbonAnchor sibling = deploy();
        VM.assertNotEq(sibling.attestationDigest(header.epoch, hash), digest);
        VM.chainId(block.chainid + 1);
        VM.assertNotEq(log.attestationDigest(header.epoch, hash), digest);
    }

    function test_anchor_takesEnoughAttestors() public {
        VM.assertTrue(submit(signed(2)));
    }

    function test_anchor_takesMoreThanEnough() public {
        VM.assertTrue(submit(signed(3)));
    }

    function test_anchor_needsNoAttestationForARepeat() public {
        submit(signed(2));
        VM.assertFalse(submit(NONE));
    }

    function test_anchor_revertsWithTooFew() public {
        refuse(signed(1), abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorTooFewAttestors.selector, 2, 1));
    }

    function test_anchor_countsEachAttestorOnce() public {
        bytes[] memory twice = new bytes[](2);
        twice[0] = twice[1] = signature(keys[0], digest);
        address signer = VM.addr(keys[0]);
        refuse(twice, abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorUnsortedAttestors.selector, signer, signer));
    }

    function test_anchor_revertsIfSignersAreNotAscending() public {
        bytes[] memory swapped = signed(2);
        (swapped[0], swapped[1]) = (swapped[1], swapped[0]);
        refuse(
            swapped,
            abi.encodeWithSelector(
                ICarbonAnchor.CarbonAnchorUnsortedAttestors.selector, VM.addr(keys[1]), VM.addr(keys[0])
            )
        );
    }

    function test_anchor_revertsForTheMirrorImageOfASignature() public {
        bytes[] memory mirrored = signed(2);
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(keys[0], digest);
        bytes32 high = bytes32(CURVE_ORDER - uint256(s));
        mirrored[0] = abi.encodePacked(r, high, v == 27 ? 28 : 27);
        refuse(mirrored, abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
    }

    function test_anchor_revertsForASignatureOverAnotherHeader() public {
        bytes[] memory other = signed(2);
        other[0] = signature(keys[0], keccak256("another header"));
        VM.expectRevert();
        submit(other);
    }

    function test_setThreshold_isTheAdminsAndNeedsNoNewContract() public {
        VM.expectRevert();
        VM.prank(ANCHORER);
        log.setThreshold(0);
        VM.expectEmit();
        emit ICarbonAnchor.ThresholdChanged(2, 3);
        VM.prank(ADMIN);
        log.setThreshold(3);
        VM.assertEq(log.threshold(), 3);
        refuse(signed(2), abi.encodeWithSelector(ICarbonAnchor.CarbonAnchorTooFewAttestors.selector, 3, 2));
        VM.assertTrue(submit(signed(3)));
    }

    function testFuzz_anchor_revertsForAStranger(uint256 seed) public {
        uint256 stranger = 1 + seed % (CURVE_ORDER - 1);
        address signer = VM.addr(stranger);
        VM.assume(signer > VM.addr(keys[0]) && !log.hasRole(log.ATTESTOR_ROLE(), signer));
        bytes[] memory mixed = new bytes[](2);
        mixed[0] = signature(keys[0], digest);
        mixed[1] = signature(stranger, digest);
        refuse(
            mixed,
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, signer, log.ATTESTOR_ROLE()
            )
        );
    }

    function testFuzz_anchor_revertsForBytesThatAreNoSignature(bytes memory noise) public {
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = noise;
        signatures[1] = noise;
        VM.expectRevert();
        submit(signatures);
    }

    function submit(bytes[] memory signatures) private returns (bool) {
        VM.prank(ANCHORER);
        return log.anchor(header, signatures);
    }

    function refuse(bytes[] memory signatures, bytes memory reason) private {
        VM.expectRevert(reason);
        submit(signatures);
    }

    function signed(uint256 count) private view returns (bytes[] memory signatures) {
        signatures = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            signatures[i] = signature(keys[i], digest);
        }
    }

    function signature(uint256 key, bytes32 message) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, message);
        return abi.encodePacked(r, s, v);
    }

    function sortedBySigner(uint256[3] memory list) private pure returns (uint256[] memory sorted) {
        sorted = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 slot = i;
            for (; slot > 0 && VM.addr(sorted[slot - 1]) > VM.addr(list[i]); --slot) {
                sorted[slot] = sorted[slot - 1];
            }
            sorted[slot] = list[i];
        }
    }
}
