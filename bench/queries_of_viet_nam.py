"""Judged questions: what somebody types, and what they mean: by topic and place, never by what an engine finds."""

from __future__ import annotations

from msgspec import Struct

from bench.listings_of_viet_nam import Made


class Judged(Struct, frozen=True):
    """`topics`: slug → grade of a listing on it. With a place, others of the topic are worth a third."""

    q: str
    topics: dict[str, int]
    place: str = ""

    def grade(self, made: Made) -> float:
        """3 what was meant, 2 and 1 what helps, 0 what does not."""
        grade = self.topics.get(made.topic, 0)
        if not self.place or not grade:
            return grade
        if made.place == self.place:
            return grade
        if now(made.place) == now(self.place) and made.place:
            return grade * 2 / 3
        return grade / 3 if not made.place else 0


_MERGED = {
    "Hải Dương": "Hải Phòng", "Quảng Nam": "Đà Nẵng", "Bình Dương": "Hồ Chí Minh", "Vĩnh Phúc": "Phú Thọ",
    "Nam Định": "Ninh Bình", "Bến Tre": "Vĩnh Long", "Long An": "Tây Ninh", "Kiên Giang": "An Giang",
    "Bình Thuận": "Lâm Đồng", "Thái Bình": "Hưng Yên", "Hòa Bình": "Phú Thọ", "Bắc Giang": "Bắc Ninh",
    "Vũng Tàu": "Hồ Chí Minh", "Bạc Liêu": "Cà Mau", "Yên Bái": "Lào Cai", "Phú Yên": "Đắk Lắk",
    "Hà Giang": "Tuyên Quang", "Quảng Bình": "Quảng Trị",
}  # fmt: skip


def now(place: str) -> str:
    """The province since July 2025."""
    return _MERGED.get(place, place)


def read_judged(row: str) -> Judged:
    """Of `question | topic:grade … | place`."""
    q, topics, *place = (part.strip() for part in row.split("|"))
    graded = {name: int(grade or 3) for name, _, grade in (each.partition(":") for each in topics.split())}
    return Judged(q, graded, place[0] if place else "")


_ROWS = """
giấy phép lái xe | giay_phep_lai_xe
bằng lái xe | giay_phep_lai_xe
bang lai xe | giay_phep_lai_xe
driving licence | giay_phep_lai_xe
GPLX | giay_phep_lai_xe
driver license holders by class | giay_phep_lai_xe
tai nạn giao thông | tai_nan_giao_thong vi_pham_giao_thong:1
tai nan giao thong duong bo | tai_nan_giao_thong
traffic accidents | tai_nan_giao_thong
TNGT | tai_nan_giao_thong
phạt nguội | vi_pham_giao_thong
traffic fines | vi_pham_giao_thong
biển số xe | dang_ky_xe
dân số | dan_so cu_tru:1
dan so | dan_so cu_tru:1
population by age | dan_so
nhân khẩu thường trú | dan_so cu_tru:2
daan soos | dan_so
dân sô | dan_so
populaton | dan_so
đăng ký tạm trú | cu_tru
birth registration | khai_sinh
giấy khai sinh | khai_sinh
ly dị | ket_hon
causes of death ICD-10 | tu_vong
hộ nghèo | ho_ngheo
poverty | ho_ngheo muc_song:1
lượt khám bệnh BHYT | kham_chua_benh
health insurance visits | kham_chua_benh
vaccination of children | tiem_chung
tiêm phòng trẻ em | tiem_chung
dengue | sot_xuat_huyet
sốt xuât huyêt | sot_xuat_huyet
tiểu đường | tieu_duong
diabetes | tieu_duong
cao huyết áp | tang_huyet_ap
u bướu | ung_thu
bệnh viện | benh_vien kham_chua_benh:1
benh vien tram y te | benh_vien
prescriptions | don_thuoc
ngộ độc thực phẩm | an_toan_thuc_pham
BHXH | bao_hiem_xa_hoi luong_huu:1
hưu trí | luong_huu
unemployment benefit | that_nghiep
việc làm | lao_dong sinh_vien:2 xuat_khau_lao_dong:1
labour force survey | lao_dong
mức lương theo nghề nghiệp | tien_luong lao_dong:1
household income | muc_song
địa chính thửa đất | thua_dat
land parcels | thua_dat
sổ đỏ | so_do
so hong | so_do
bất động sản | gia_dat
land prices | gia_dat
cấp phép xây dựng | giay_phep_xay_dung
thuế TNCN | thue_tncn
personal income tax | thue_tncn
thuế | thue_tncn thue_tndn no_thue hoa_don:2
thue thu nhap doanh nghiep | thue_tndn
tax arrears | no_thue
VAT invoices | hoa_don
local budget | ngan_sach
mua sắm công | dau_thau
xuất nhập khẩu hàng hóa | hai_quan
CPI | gia_tieu_dung
company registration | doanh_nghiep
vay vốn ngân hàng | tin_dung
ví điện tử | thanh_toan
school dropout | hoc_sinh
điểm thi THPT | diem_thi
exam scores | diem_thi
dạy nghề | dao_tao_nghe
bụi mịn | khong_khi
air polution | khong_khi
nươc thải sông | nuoc_mat
rác thải | chat_thai
rainfall | luong_mua
ngập lụt | lu_lut
forest | rung
rice yield | lua
heo | chan_nuoi
đánh bắt cá | thuy_san
electricity consumption | dien
online shopping | thuong_mai_dien_tu
khách sạn | du_lich
tội phạm | toi_pham
court decisions | ban_an
thủ tục hành chính | dich_vu_cong
kỹ thuật sáng chế | sang_che
kĩ thuật bằng sáng chế | sang_che
diem_toan | diem_thi
nong do pm2.5 | khong_khi
hba1c | tieu_duong
"chất lượng không khí" | khong_khi
dữ liệu về dân số tỉnh Quảng Nam | dan_so | Quảng Nam
dân số Đà Nẵng | dan_so | Đà Nẵng
giấy phép lái xe Hải Dương | giay_phep_lai_xe | Hải Dương
học sinh ở Sài Gòn | hoc_sinh | Hồ Chí Minh
thửa đất Hà Tây | thua_dat | Hà Nội
gia dat TPHCM | gia_dat | Hồ Chí Minh
hộ nghèo Đắc Lắc | ho_ngheo | Đắk Lắk
du lịch Thừa Thiên Huế | du_lich | Huế
air quality hanoi | khong_khi | Hà Nội
ngan sach khanh hoà | ngan_sach | Khánh Hòa
lúa gạo Thái Bình | lua | Thái Bình
thuỷ sản Kiên Giang | thuy_san | Kiên Giang
giaypheplaixe | giay_phep_lai_xe
tai nan giao thnog | tai_nan_giao_thong
bảo hiểm thất nghiẹp | that_nghiep
"""
JUDGED = tuple(read_judged(row) for row in _ROWS.strip().splitlines())
