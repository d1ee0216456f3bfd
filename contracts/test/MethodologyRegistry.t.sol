// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {MethodologyRegistry} from "../src/MethodologyRegistry.sol";
import {IMethodologyRegistry} from "../src/interfaces/IMethodologyRegistry.sol";
import {ContentHash, Day, MethodologyKey, MethodologyVersion, NO_END, Standing} from "../src/types/Methodology.sol";
import {VM} from "./support/Vm.sol";

contract MethodologyRegistryTest {
    address private constant ADMIN = address(0xAD);
    address private constant PUBLISHER = address(0xB0);
    string private constant CODE = "SZ-METRO";
    ContentHash private constant CONTENT = ContentHash.wrap(bytes32(uint256(0xC0)));
    ContentHash private constant OTHER = ContentHash.wrap(bytes32(uint256(0xC1)));
    Day private constant FROM = Day.wrap(18_978);
    MethodologyRegistry private registry;
    MethodologyKey private key;

    function setUp() public {
        VM.warp(1_767_225_600);
        registry = new MethodologyRegistry(ADMIN, 48 hours);
        VM.startPrank(ADMIN);
        registry.grantRole(registry.PUBLISHER_ROLE(), PUBLISHER);
        VM.stopPrank();
        key = registry.methodologyKey(CODE, 1);
    }

    function publish(string memory code, uint32 version) private returns (bool) {
        VM.prank(PUBLISHER);
        return registry.publish(code, version, CONTENT, FROM, NO_END);
    }

    function assertStanding(MethodologyKey of_, Standing standing) private view {
        VM.assertEq(uint256(registry.versionOf(of_).standing), uint256(standing));
    }

    function refuse(bytes4 reason, MethodologyKey about) private {
        VM.expectRevert(abi.encodeWithSelector(reason, about));
    }

    function test_publish_keepsAndEmitsWhatWasPublished() public {
        VM.expectEmit();
        emit IMethodologyRegistry.MethodologyPublished(key, CODE, 1, CONTENT, FROM, NO_END);
        VM.assertTrue(publish(CODE, 1));
        MethodologyVersion memory kept = registry.versionOf(key);
        VM.assertTrue(kept.contentHash == CONTENT);
        VM.assertEq(kept.version, 1);
        VM.assertEq(Day.unwrap(kept.validFrom), 18_978);
        VM.assertEq(Day.unwrap(kept.validTo), type(uint32).max);
        VM.assertEq(kept.publishedAt, 1_767_225_600);
        assertStanding(key, Standing.InForce);
        VM.assertEq(registry.versionCount(), 1);
        VM.assertEq(MethodologyKey.unwrap(registry.keyAt(0)), MethodologyKey.unwrap(key));
    }

    function test_publish_answersFalseToTheSameAgain() public {
        publish(CODE, 1);
        VM.warp(1_767_300_000);
        VM.assertFalse(publish(CODE, 1));
        VM.assertEq(registry.versionCount(), 1);
        VM.assertEq(registry.versionOf(key).publishedAt, 1_767_225_600);
    }

    function test_publish_revertsOnOtherContentOrOtherDays() public {
        publish(CODE, 1);
        bytes4 reason = IMethodologyRegistry.MethodologyRegistryConflict.selector;
        VM.startPrank(PUBLISHER);
        refuse(reason, key);
        registry.publish(CODE, 1, OTHER, FROM, NO_END);
        refuse(reason, key);
        registry.publish(CODE, 1, CONTENT, Day.wrap(18_979), NO_END);
        refuse(reason, key);
        registry.publish(CODE, 1, CONTENT, FROM, Day.wrap(20_000));
        VM.stopPrank();
    }

    function test_publish_revertsOnWhatIsNoVersion() public {
        bytes memory code65 = new bytes(65);
        VM.startPrank(PUBLISHER);
        refuseInvalid("", 1, CONTENT);
        registry.publish("", 1, CONTENT, FROM, NO_END);
        refuseInvalid(string(code65), 1, CONTENT);
        registry.publish(string(code65), 1, CONTENT, FROM, NO_END);
        refuseInvalid(CODE, 0, CONTENT);
        registry.publish(CODE, 0, CONTENT, FROM, NO_END);
        refuseInvalid(CODE, 1, ContentHash.wrap(0));
        registry.publish(CODE, 1, ContentHash.wrap(0), FROM, NO_END);
        refuseInvalid(CODE, 1, CONTENT);
        registry.publish(CODE, 1, CONTENT, FROM, Day.wrap(18_977));
        VM.stopPrank();
    }

    function refuseInvalid(string memory code, uint32 version, ContentHash content) private {
        bytes4 reason = IMethodologyRegistry.MethodologyRegistryInvalidVersion.selector;
        VM.expectRevert(abi.encodeWithSelector(reason, code, version, content));
    }

    function test_writing_revertsForAllButThePublisher() public {
        bytes memory reason = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, ADMIN, registry.PUBLISHER_ROLE()
        );
        VM.startPrank(ADMIN);
        VM.expectRevert(reason);
        registry.publish(CODE, 1, CONTENT, FROM, NO_END);
        VM.expectRevert(reason);
        registry.supersede(key, key);
        VM.expectRevert(reason);
        registry.withdraw(key, "reason");
        VM.stopPrank();
    }

    function test_supersede_marksTheOldAndKeepsWhatItSaid() public {
        publish(CODE, 1);
        publish(CODE, 2);
        MethodologyKey successor = registry.methodologyKey(CODE, 2);
        VM.expectEmit();
        emit IMethodologyRegistry.MethodologySuperseded(key, successor);
        VM.prank(PUBLISHER);
        registry.supersede(key, successor);
        assertStanding(key, Standing.Superseded);
        assertStanding(successor, Standing.InForce);
        VM.assertTrue(registry.versionOf(key).contentHash == CONTENT);
        VM.assertEq(registry.versionCount(), 2);
    }

    function test_supersede_revertsIfEitherIsNotInForceOrBothAreOne() public {
        publish(CODE, 1);
        publish(CODE, 2);
        MethodologyKey second = registry.methodologyKey(CODE, 2);
        MethodologyKey unknown = registry.methodologyKey(CODE, 3);
        VM.startPrank(PUBLISHER);
        refuse(IMethodologyRegistry.MethodologyRegistryConflict.selector, key);
        registry.supersede(key, key);
        refuse(IMethodologyRegistry.MethodologyRegistryUnknownVersion.selector, unknown);
        registry.supersede(key, unknown);
        refuse(IMethodologyRegistry.MethodologyRegistryUnknownVersion.selector, unknown);
        registry.supersede(unknown, key);
        registry.supersede(key, second);
        refuse(IMethodologyRegistry.MethodologyRegistryNotInForce.selector, key);
        registry.supersede(key, second);
        refuse(IMethodologyRegistry.MethodologyRegistryNotInForce.selector, key);
        registry.supersede(second, key);
        VM.stopPrank();
    }

    function test_withdraw_marksOnceAndKeepsWhatItSaid() public {
        publish(CODE, 1);
        VM.startPrank(PUBLISHER);
        VM.expectEmit();
        emit IMethodologyRegistry.MethodologyWithdrawn(key, "reason");
        registry.withdraw(key, "reason");
        refuse(IMethodologyRegistry.MethodologyRegistryNotInForce.selector, key);
        registry.withdraw(key, "reason");
        VM.stopPrank();
        assertStanding(key, Standing.Withdrawn);
        VM.assertTrue(registry.versionOf(key).contentHash == CONTENT);
        VM.assertFalse(publish(CODE, 1));
        assertStanding(key, Standing.Withdrawn);
    }

    function test_withdraw_takesASupersededVersionAndRefusesAnUnknownOne() public {
        refuse(IMethodologyRegistry.MethodologyRegistryUnknownVersion.selector, key);
        VM.prank(PUBLISHER);
        registry.withdraw(key, "reason");
        publish(CODE, 1);
        publish(CODE, 2);
        MethodologyKey second = registry.methodologyKey(CODE, 2);
        VM.startPrank(PUBLISHER);
        registry.supersede(key, second);
        registry.withdraw(key, "reason");
        VM.stopPrank();
        assertStanding(key, Standing.Withdrawn);
    }

    function testFuzz_methodologyKey_isThatOfTheSpecification(string calldata code, uint32 version) public view {
        bytes32 tag = sha256("carbon-anchor/v1/methodology");
        bytes32 want = sha256(abi.encodePacked(tag, code, hex"00", version));
        VM.assertEq(MethodologyKey.unwrap(registry.methodologyKey(code, version)), want);
    }

    function testFuzz_publish_neverOverwrites(ContentHash content, Day from, Day to) public {
        publish(CODE, 1);
        bytes32 before = keccak256(abi.encode(registry.versionOf(key)));
        VM.prank(PUBLISHER);
        try registry.publish(CODE, 1, content, from, to) returns (bool fresh) {
            VM.assertFalse(fresh);
        } catch {}
        VM.assertEq(keccak256(abi.encode(registry.versionOf(key))), before);
    }
}
