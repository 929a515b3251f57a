"""Judged questions with datasets that no list of synonyms was made for (`unseen_of_viet_nam.txt`).

Both were written before anybody looked at the synonyms, in one sitting, and measured before anything was changed:
0.919 and 0.900. A random third was then set aside (`SET_ASIDE`) and not looked at while the search was worked on
with the others (`WORKED_ON`), but for one that had fallen.
"""

from __future__ import annotations

import random
from pathlib import Path

from bench.queries_of_viet_nam import read_judged
from bench.topics_of_viet_nam import read_topics

UNSEEN_TOPICS = read_topics(Path(__file__).with_suffix(".txt"))
_ROWS = """
so nguoi co bang lai A1 o Sai Gon | giay_phep_lai_xe | Hồ Chí Minh
giaasy phesp lais xe | giay_phep_lai_xe
gia61y phe1p la1i xe ha5ng B | giay_phep_lai_xe
GPLX bị thu hồi theo năm | giay_phep_lai_xe vi_pham_giao_thong:1
có bao nhiêu người tham gia BHYT ở Nghệ An? | kham_chua_benh:2 bao_hiem_xa_hoi:2 | Nghệ An
BHXH tự nguyện | bao_hiem_xa_hoi
cccd đã cấp theo xã | can_cuoc cu_tru:1
KCN ở Bắc Giang lấp đầy bao nhiêu | khu_cong_nghiep | Bắc Giang
cac khu cn tinh Bac Ninh | khu_cong_nghiep | Bắc Ninh
HTX nông nghiệp | hop_tac_xa
san pham OCOP 4 sao | ocop
PCI 2023 các tỉnh | pci
TNGT đường sắt | tai_nan_giao_thong
tai nạn chết người ở Đắc Lắc | tai_nan_giao_thong | Đắk Lắk
BCA xử phạt vi phạm hành chính giao thông | vi_pham_giao_thong
dữ liệu của BYT về tiêm vắc xin | tiem_chung
BNNMT diện tích rừng | rung
BTNMT thửa đất | thua_dat so_do:1
NSO GRDP by province | grdp
TCTK lao động việc làm quý | lao_dong
sổ đỏ | so_do thua_dat:1
cấp giấy chứng nhận QSDĐ | so_do
how many hospital beds does each province have | benh_vien
giường bệnh | benh_vien
bệnh viện tuyến huyện | benh_vien
bụi mịn PM2.5 Hà Nội | khong_khi | Hà Nội
ô nhiễm không khí | khong_khi
oo nhieexm nguwowcs soong | nuoc_mat
mực nước sông Cửu Long | muc_nuoc
salinity intrusion mekong delta | xam_nhap_man
hạn mặn Bến Tre | xam_nhap_man | Bến Tre
gạo xuất khẩu | hai_quan:2 lua:1
paddy yield An Giang | lua | An Giang
nuôi tôm Bạc Liêu | thuy_san | Bạc Liêu
cà phê Tây Nguyên | ca_phe
nuoi heo | chan_nuoi
dịch tả lợn châu Phi | chan_nuoi
trẻ bỏ học | hoc_sinh
diem thi tot nghiep THPT 2024 | diem_thi
sinh viên ra trường có việc làm | sinh_vien
college enrolment | sinh_vien
mức lương trung bình theo nghề | tien_luong
thanh niên thất nghiệp | lao_dong:3 that_nghiep:2
trợ cấp thất nghiệp | that_nghiep
công ty giải thể | doanh_nghiep
startups newly registered in Da Nang | doanh_nghiep | Đà Nẵng
vốn đầu tư nước ngoài Bình Dương | dau_tu_nuoc_ngoai | Bình Dương
kim ngạch XNK | hai_quan
lượng khách quốc tế tới Nha Trang | du_lich xuat_nhap_canh:1 | Khánh Hòa
hotel occupancy | du_lich
hộ nghèo đa chiều | ho_ngheo
trẻ dưới 5 tuổi thấp còi | dinh_duong
sot xuat huyet mien Tay | sot_xuat_huyet
người khuyết tật | khuyet_tat
tỷ lệ ly hôn | ket_hon
đăng ký khai sinh | khai_sinh
án dân sự sơ thẩm | ban_an
nghiện ma túy | ma_tuy
thuế TNCN | thue_tncn
hoa don dien tu | hoa_don
electricity usage households | dien
trạm sạc ô tô điện | tram_sac
giá chung cư TP Thủ Đức | nha_thuong_mai nha_o:1 gia_dat:1 | Hồ Chí Minh
ddieemr dduwngf xe buyts | xe_buyt
rác thải sinh hoạt | chat_thai
nợ xấu ngân hàng | tin_dung
hồ sơ DVC trực tuyến đúng hạn | dich_vu_cong
đăng ký giao dịch bảo đảm | giao_dich_bao_dam
who died of cancer, by age and sex | tu_vong ung_thu:2
Thái Bình dân số già | dan_so nguoi_cao_tuoi:1 | Thái Bình
số lượng xe máy đăng ký mới ở Hải Dương | dang_ky_xe | Hải Dương
"""
_ALL = tuple(read_judged(row) for row in _ROWS.strip().splitlines())
_ASIDE = frozenset(random.Random(27).sample(range(len(_ALL)), len(_ALL) // 3))
WORKED_ON = tuple(judged for number, judged in enumerate(_ALL) if number not in _ASIDE)
SET_ASIDE = tuple(judged for number, judged in enumerate(_ALL) if number in _ASIDE)
