"""What is refused of a provider and of its requests (提供方的拒绝)."""

from app.kernel.problems import Refusal


class ProviderUnknown(Refusal):
    """No provider has this code."""

    code = "providers.unknown"
    status = 404
    title_zh = "没有这个数据提供方"


class ProviderSuspended(Refusal):
    """The provider is suspended and may send nothing."""

    code = "providers.suspended"
    status = 403
    title_zh = "数据提供方已被暂停"


class ProviderCodeTaken(Refusal):
    """Another provider has this code already."""

    code = "providers.code_taken"
    title_zh = "提供方代码已被占用"


class ProviderMalformed(Refusal):
    """A provider's code or name is not of the required form."""

    code = "providers.malformed"
    status = 422
    title_zh = "提供方代码或名称格式不正确"


class KeyTaken(Refusal):
    """A key with this id was registered before; a new key takes a new id."""

    code = "providers.key_taken"
    title_zh = "密钥编号已被使用"


class KeyMalformed(Refusal):
    """An Ed25519 public key has 32 bytes, and its id 1 to 200 printable ASCII characters."""

    code = "providers.key_malformed"
    status = 422
    title_zh = "公钥或密钥编号格式不正确"


class NonceReplayed(Refusal):
    """This signed request was received before; sign it anew with another nonce."""

    code = "signature.nonce_replayed"
    status = 401
    title_zh = "请求已使用过，请更换随机数重新签名"


class KeyUnknown(Refusal):
    """You have no key with this id in force."""

    code = "providers.key_unknown"
    status = 404
    title_zh = "没有这个有效密钥"


class KeyLast(Refusal):
    """This is your last key without an end; register another first, or ask the desk."""

    code = "providers.key_last"
    title_zh = "不能吊销最后一个有效密钥"


class ProviderNotSuspended(Refusal):
    """The provider is not suspended."""

    code = "providers.not_suspended"
    title_zh = "数据提供方未被暂停"
