"""What may be wrong, in both languages, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

TEXTS = {
    "form.size": ("Lớn hơn {} byte.", "Larger than {} bytes."),
    "form.encoding": ("Không phải văn bản UTF-8.", "Not UTF-8 text."),
    "form.json": ("Không phải JSON: {}.", "Not JSON: {}."),
    "form.depth": ("Lồng sâu hơn {} tầng.", "Nested deeper than {} levels."),
    "form.number": ("Số {} không phải số nguyên dưới 2^53.", "{} is no integer below 2^53."),
    "form.twice": ("Khóa {} có hai lần.", "The key {} stands twice."),
    "form.field": ("Trường {} thiếu, thừa hoặc sai kiểu.", "The field {} is missing, unknown or of a wrong type."),
    "form.base64": ("Không phải base64 chuẩn: {}.", "Not canonical base64: {}."),
    "form.hex": ("Không phải hex chữ thường, 32 byte: {}.", "Not 32 bytes in lower-case hexadecimal: {}."),
    "form.proof": ("Không phải C2SP tlog-proof: {}.", "Not a C2SP tlog-proof: {}."),
    "key.form": ("Không phải khóa kiểm chứng Ed25519.", "Not an Ed25519 verifier key."),
    "note.form": ("Không phải ghi chú có chữ ký C2SP: {}.", "Not a C2SP signed note: {}."),
    "note.unsigned": ("Khóa {} không ký điểm kiểm tra này.", "The key {} has not signed this checkpoint."),
    "note.forged": ("Chữ ký mang tên {} là giả.", "The signature that bears the name {} is forged."),
    "note.head": ("Điểm kiểm tra sai ở dòng {}.", "The checkpoint is wrong in its line {}."),
    "inclusion.path": ("Bằng chứng không dẫn từ lá {} đến gốc đã ký.",
                       "The proof does not lead from leaf {} to the signed root."),
    "consistency.fork": ("Nhật ký đã bị viết lại hoặc rẽ nhánh: {} không tiếp nối.",
                         "The log was rewritten or forked: {} do not continue one another."),
    "consistency.other": ("Bằng chứng là của hai điểm kiểm tra khác ({}): hãy lấy bằng chứng cho đúng hai cỡ này.",
                          "The proof is for other checkpoints ({}): ask for the one between these two sizes."),
    "event.commitment": ("Sự kiện và muối không mở được cam kết của lá.",
                         "The event and its salt do not open the leaf's commitment."),
    "leaf.form": ("Lá {} không ở dạng chuẩn.", "Leaf {} is not in canonical form."),
    "fields.differ": ("Trường {} khác với sự kiện đã ghi.", "The field {} differs from the logged event."),
    "facts.order": ("Các dữ kiện không theo thứ tự.", "The facts are not in order, or not all there."),
    "facts.value": ("Dữ kiện {} không ở dạng chuẩn.", "The fact {} is not in canonical form."),
    "facts.root": ("Các dữ kiện của {} không dẫn đến gốc trong sự kiện.",
                   "The facts of {} do not lead to the root in the event."),
    "log.missing": ("Thiếu tệp {}.", "The file {} is missing."),
    "log.bundle": ("Gói lá {} không nguyên vẹn.", "The entry bundle {} is not whole."),
    "log.tile": ("Ô {} không phải các băm của lá.", "The tile {} is not what the leaves give."),
    "log.root": ("Các lá không cho gốc đã ký ở cỡ {}.", "The leaves do not give the root signed at size {}."),
    "log.short": ("Nhật ký ngắn hơn {} lá đã công bố.", "The log is shorter than the {} leaves once published."),
    "dataset.none": ("Không có sự kiện nào của một bộ dữ liệu ở cỡ này.", "No event of a dataset at this size."),
    "dataset.several": ("Sự kiện của nhiều bộ dữ liệu: {}.", "Events of several datasets: {}."),
    "dataset.key": ("Thiếu khóa chuỗi (chain_key) của bộ dữ liệu.", "The dataset's chain_key is missing."),
    "dataset.left_out": ("Bản xuất thiếu sự kiện: bộ đếm {}.", "The export leaves events out: counters {}."),
    "dataset.previous": ("Sự kiện {} không nối tiếp sự kiện trước nó.", "Event {} does not follow the last."),
    "dataset.closed": ("Sự kiện thiếu muối nên không mở được: bộ đếm {}. Nếu muối đã bị xóa: --erased.",
                       "Events without salts do not open: counters {}. If they were erased: --erased."),
    "dataset.unopened": ("Không sự kiện nào mở được: không gì cho biết đây là bộ dữ liệu nào.",
                         "No event opens, so nothing proves of which dataset they are."),
    "dataset.leaf": ("Lá {} không phải của sự kiện đã xuất.", "Leaf {} is not that of the exported event."),
    "dataset.kept_back": ("Sự kiện mới nhất bị giữ lại: bộ đếm {}. Nếu EVENTS cũ hơn nhật ký: hãy lấy lại nó.",
                          "A newest event is kept back: counter {}. Fetch EVENTS again if it is older."),
    "dataset.ended_twice": ("Truy vấn {} kết thúc hai lần trong nhật ký.", "The query {} ends twice in the log."),
    "fetch.address": ("Không phải địa chỉ http(s) của một sàn: {}.", "Not the http(s) address of a service: {}."),
    "fetch.away": ("Chưa lấy được nhật ký: {} không trả lời như mong đợi. Hãy thử lại sau.",
                   "The log was not fetched: {} did not answer as it should. Try again later."),
    "export.zip": ("Không phải tệp zip của một bản xuất, hoặc bị hỏng.", "Not the zip of an export, or damaged."),
    "export.form": ("Tệp này chỉ đọc NDJSON và CSV: hãy xuất lại cùng tìm kiếm ở một trong hai dạng đó.",
                    "This file reads NDJSON and CSV only: export the same search again in one of those forms."),
    "export.key": ("Bản kê nêu khóa khác với khóa đã cho.", "The manifest names another key than the one given."),
    "export.manifest": ("Số dòng hoặc mã băm khác với bản kê.", "Rows or their hash differ from the manifest."),
    "export.row": ("Dòng {} không có lá trong điểm kiểm tra của bản xuất.",
                   "The row {} has no leaf below the export's checkpoint."),
    "export.twice": ("Lá {} có hai dòng.", "Leaf {} has two rows."),
    "export.closed": ("Dòng của lá {} thiếu muối. Nếu muối đã bị xóa: --erased.",
                      "The row of leaf {} lacks its salt. If it was erased: --erased."),
    "export.uncounted": ("Một lần sử dụng, lá {}, không nằm trong chuỗi của bộ dữ liệu.",
                         "A use, leaf {}, stands outside the chain of its dataset."),
    "export.chain": ("Chuỗi của bộ dữ liệu bị hở hoặc có hai: {}.",
                     "The chain of a dataset has a gap, or is two: {}."),
    "export.left_out": ("Bản xuất thiếu dòng của các lá {}.", "The export leaves out the rows of leaves {}."),
}  # fmt: skip
"""Code -> what is said of it, Vietnamese and English."""


class Refused(ValueError):
    """What was checked does not hold. `code` is one of TEXTS, `detail` names the place, never a secret."""

    def __init__(self, code: str, detail: object = "") -> None:
        self.code, self.detail = code, str(detail)
        super().__init__(self.said[1])

    @property
    def said(self) -> tuple[str, str]:
        """Vietnamese, English."""
        vi, en = TEXTS[self.code]
        return vi.format(self.detail), en.format(self.detail)


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `code`, `vi` and `en` are empty where it holds."""

    name: str
    ok: bool
    detail: str = ""
    code: str = ""
    vi: str = ""
    en: str = ""


def holds(checks: Iterable[Check]) -> bool:
    """Whether every check does."""
    return all(check.ok for check in checks)


def checked(name: str, rule: Callable[..., str], *arguments: Any) -> Check:
    """What `rule` gives as detail, or what it refused."""
    try:
        return Check(name, True, rule(*arguments))
    except Refused as refused:
        return Check(name, False, refused.detail, refused.code, *refused.said)
