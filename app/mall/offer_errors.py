"""What is refused of offers and their pictures (商品的拒绝)."""

from app.kernel.problems import Refusal


class OfferStuck(Refusal):
    """The offer's state does not allow this."""

    code = "offers.stuck"
    title_zh = "商品当前状态不允许此操作"


class OfferChanged(Refusal):
    """The offer is no longer the version that you decided on; read it again."""

    code = "offers.changed"
    title_zh = "商品内容已变更，请重新查看"


class TagMissing(Refusal):
    """Changing an offer needs If-Match with the ETag of what you read."""

    code = "offers.tag_missing"
    status = 428
    title_zh = "修改商品须带 If-Match"


class TagStale(Refusal):
    """The offer has changed since you read it; read it again."""

    code = "offers.tag_stale"
    status = 412
    title_zh = "商品已被修改，请重新读取"


class DonationOnly(Refusal):
    """Only a merchant of a public cause lists donations, and they cost points alone."""

    code = "offers.donation_only"
    title_zh = "仅公益机构可上架公益捐赠，且只收积分"


class WindowInvalid(Refusal):
    """A sale ends after it begins, and both are in the years 2020 to 2099."""

    code = "offers.window_invalid"
    status = 422
    title_zh = "销售结束须晚于开始，且均在2020至2099年"


class StockTaken(Refusal):
    """More than this has been taken of the offer; restock to at least that."""

    code = "offers.stock_taken"
    title_zh = "库存不能低于已兑换数量"


class OffersMany(Refusal):
    """A merchant has at most this many offers."""

    code = "offers.too_many"
    title_zh = "商品数量已达上限"


class ImagesMany(Refusal):
    """An offer has at most eight pictures."""

    code = "offers.images_many"
    title_zh = "每个商品最多八张图片"


class ImageUnknown(Refusal):
    """There is no such picture, or no offer shows it."""

    code = "offers.image_unknown"
    status = 404
    title_zh = "没有该图片"


class ImageForeign(Refusal):
    """A change orders or drops the offer's own pictures, each once; a new one is sent by itself."""

    code = "offers.image_foreign"
    status = 422
    title_zh = "只能保留、排序或移除该商品已有的图片"


class ImageInvalid(Refusal):
    """This is no single whole JPEG, PNG or WebP picture of at most 16 million pixels."""

    code = "offers.image_invalid"
    status = 422
    title_zh = "须为完整的单张 JPEG、PNG 或 WebP 图片，不超过1600万像素"


class ImagesBusy(Refusal):
    """Other pictures are being read; send it again in a moment."""

    code = "offers.images_busy"
    status = 503
    title_zh = "图片处理繁忙，请稍后重试"


class TableInvalid(Refusal):
    """This is no UTF-8 CSV with the documented columns and at most 500 rows."""

    code = "offers.table_invalid"
    status = 422
    title_zh = "须为UTF-8编码、列名正确、不超过500行的CSV"


class TableRefused(Refusal):
    """A row of the table is no offer; nothing was added."""

    code = "offers.table_refused"
    status = 422
    title_zh = "表格中有行不符合要求，未导入任何商品"
