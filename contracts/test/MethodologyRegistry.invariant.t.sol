// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MethodologyRegistry} from "../src/MethodologyRegistry.sol";
import {ContentHash, Day, MethodologyKey, MethodologyVersion, Standing} from "../src/types/Methodology.sol";
import {VM} from "./support/Vm.sol";

/// @dev A publisher that publishes, rewrites, supersedes and withdraws at random over a few codes and versions.
contract Publisher {
    MethodologyRegistry public immutable REGISTRY;
    mapping(MethodologyKey key => bytes32 said) public said;
    mapping(MethodologyKey key => Standing standing) public furthest;

    constructor() {
        REGISTRY = new MethodologyRegistry(address(this), 0);
        REGISTRY.grantRole(REGISTRY.PUBLISHER_ROLE(), address(this));
    }

    function publish(uint8 code, uint8 version, ContentHash content, Day from, Day to) external {
        MethodologyKey key = _key(code, version);
        try REGISTRY.publish(_code(code), _version(version), content, from, to) returns (bool fresh) {
            if (!fresh) return;
            said[key] = digest(key);
            note(key);
        } catch {}
    }

    function supersede(uint8 code, uint8 version, uint8 successor) external {
        MethodologyKey key = _key(code, version);
        try REGISTRY.supersede(key, _key(code, successor)) {
            note(key);
        } catch {}
    }

    function withdraw(uint8 code, uint8 version) external {
        MethodologyKey key = _key(code, version);
        try REGISTRY.withdraw(key, "reason") {
            note(key);
        } catch {}
    }

    /// @dev Everything that a version says about itself, its standing left out.
    function digest(MethodologyKey key) public view returns (bytes32) {
        MethodologyVersion memory kept = REGISTRY.versionOf(key);
        return keccak256(abi.encode(kept.contentHash, kept.version, kept.validFrom, kept.validTo, kept.publishedAt));
    }

    function note(MethodologyKey key) private {
        Standing standing = REGISTRY.versionOf(key).standing;
        VM.assertGt(uint256(standing), uint256(furthest[key]));
        furthest[key] = standing;
    }

    function _key(uint8 code, uint8 version) private view returns (MethodologyKey) {
        return REGISTRY.methodologyKey(_code(code), _version(version));
    }

    function _code(uint8 code) private pure returns (string memory) {
        return code % 2 == 0 ? "SZ-METRO" : "SZ-BUS";
    }

    function _version(uint8 version) private pure returns (uint32) {
        return 1 + version % 4;
    }
}

contract MethodologyRegistryInvariantTest {
    Publisher private publisher;

    function setUp() public {
        publisher = new Publisher();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(publisher);
    }

    function invariant_whatWasPublishedStaysPublished() public view {
        MethodologyRegistry registry = publisher.REGISTRY();
        for (uint256 i = 0; i < registry.versionCount(); ++i) {
            MethodologyKey key = registry.keyAt(i);
            VM.assertEq(publisher.digest(key), publisher.said(key));
            VM.assertEq(uint256(registry.versionOf(key).standing), uint256(publisher.furthest(key)));
            VM.assertGt(uint256(registry.versionOf(key).standing), uint256(Standing.Unknown));
        }
    }

    function invariant_noKeyIsListedTwice() public view {
        MethodologyRegistry registry = publisher.REGISTRY();
        for (uint256 i = 1; i < registry.versionCount(); ++i) {
            for (uint256 k = 0; k < i; ++k) {
                VM.assertNotEq(MethodologyKey.unwrap(registry.keyAt(i)), MethodologyKey.unwrap(registry.keyAt(k)));
            }
        }
    }
}
