"""Judged questions that nobody tuned on, as an analyst, an official or a citizen types them.

Written before the lists of synonyms were looked at. Every third was kept back (`KEPT_BACK`) while the search was
worked on with the others (`UNTUNED`), and was measured once that was done.
"""

from __future__ import annotations

from bench.queries_of_viet_nam import read_judged

_ROWS = """
so luong nguoi co gplx hang B2 tp hcm | giay_phep_lai_xe | Hồ Chí Minh
đăng ký thường trú KT3 | cu_tru
so nguoi tham gia bhyt | kham_chua_benh bao_hiem_xa_hoi:1
BHTN | that_nghiep
tỷ lệ sinh theo tỉnh | khai_sinh dan_so:1
đất ở đô thị bình dương | thua_dat gia_dat:2 | Bình Dương
gcn qsdđ | so_do
gia nha dat tp thu duc | gia_dat | Hồ Chí Minh
vaccine cho tre so sinh | tiem_chung
kết quả thi tốt nghiệp môn toán 2024 | diem_thi
sv ra trường thất nghiệp | sinh_vien that_nghiep:1
gv thiếu môn tiếng anh | giao_vien
car registration by brand ha noi | dang_ky_xe | Hà Nội
so xe may o viet nam | dang_ky_xe
nồng độ cồn lái xe | vi_pham_giao_thong tai_nan_giao_thong:1
mức lương trung bình ngành IT | tien_luong lao_dong:1
minimum wage | tien_luong
FDI enterprises | doanh_nghiep
DN thành lập mới quý 1 | doanh_nghiep
doanh nghiep no thue tphcm | no_thue | Hồ Chí Minh
e-invoice retail | hoa_don
lạm phát | gia_tieu_dung
inflation rate vietnam | gia_tieu_dung
giá xăng | gia_tieu_dung
nợ xấu cho vay tiêu dùng | tin_dung
QR code payment | thanh_toan
xuat khau gao | hai_quan lua:1
HS code import electronics | hai_quan
đấu thầu thuốc bệnh viện | dau_thau don_thuoc:1 benh_vien:1
pm25 hn | khong_khi | Hà Nội
AQI da nang | khong_khi | Đà Nẵng
o nhiem song ngoi | nuoc_mat
bao so 3 yagi thiet hai | lu_lut
chay rung | rung chay_no:2
sản lượng tôm cà mau | thuy_san | Cà Mau
ASF pig | chan_nuoi
tien dien sinh hoat evn | dien
khach quoc te den hue | du_lich xuat_nhap_canh:1 | Huế
ly hon tranh chap nuoi con | ban_an:3 ket_hon:2
dvc truc tuyen cap do 4 | dich_vu_cong
khiếu nại tố cáo | phan_anh
flight delays noi bai | chuyen_bay
5G subscribers | thue_bao
elderly chronic illness | nguoi_cao_tuoi
nhập cảnh khách trung quốc | xuat_nhap_canh du_lich:1
vu an lua dao | toi_pham ban_an:2
hộ cận nghèo hà giang | ho_ngheo | Hà Giang
tai nạn chết người quốc lộ 1 quảng bình | tai_nan_giao_thong | Quảng Bình
dan so ba ria vung tau | dan_so | Vũng Tàu
ung thu vu | ung_thu
thuoc khang sinh ke don | don_thuoc
nguoi viet di lam o nhat | xuat_khau_lao_dong
social insurance contribution by industry | bao_hiem_xa_hoi
lương hưu công chức | luong_huu
khu vuc ngap ung | lu_lut
bus ridership saigon | xe_buyt | Hồ Chí Minh
khí thải ô tô đăng kiểm | dang_kiem khong_khi:1
construction permits danang | giay_phep_xay_dung | Đà Nẵng
thu ngân sách từ đất | ngan_sach
trình độ học vấn dtts | dan_toc_thieu_so
"""
_ALL = tuple(read_judged(row) for row in _ROWS.strip().splitlines())
UNTUNED = tuple(judged for at, judged in enumerate(_ALL) if at % 3)
KEPT_BACK = _ALL[::3]
