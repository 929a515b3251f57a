"""Judged questions of one more stranger, written before the search's code and its lists of words were looked at.

First look: nDCG@10 of 0.896 where plain ranking has 0.106. Four were mended afterwards, by words of general use.
"""

from __future__ import annotations

from bench.queries_of_viet_nam import read_judged

_ROWS = """
so nguoi co bang b2 | giay_phep_lai_xe
bằng lái B2 hết hạn | giay_phep_lai_xe
tru diem gplx | giay_phep_lai_xe vi_pham_giao_thong:1
phạt nguội | vi_pham_giao_thong
nồng độ cồn | vi_pham_giao_thong tai_nan_giao_thong:1
vuot den do | vi_pham_giao_thong
crash fatalities | tai_nan_giao_thong
bien so xe may | dang_ky_xe
xe hơi đăng ký mới | dang_ky_xe
CCCD gắn chip | can_cuoc
chung minh nhan dan | can_cuoc
the bhyt kham ngoai tru | kham_chua_benh
BHYT chi trả | kham_chua_benh
BHXH một lần | bao_hiem_xa_hoi
luong huu hang thang | luong_huu
trợ cấp mất việc | that_nghiep
ty le that nghiep | lao_dong that_nghiep:2
sdt di dong thue bao 5g | thue_bao
tiểu đường type 2 | tieu_duong
diabets patients | tieu_duong
cao huyet ap | tang_huyet_ap
sốt suất huyết | sot_xuat_huyet
dengue hải dương | sot_xuat_huyet | Hải Dương
vaccin tre em | tiem_chung
lịch tiêm phòng sởi | tiem_chung
K phổi | ung_thu
số giường bệnh | benh_vien
toa thuốc | don_thuoc
mất an toàn vệ sinh thực phẩm | an_toan_thuc_pham
sổ hồng | so_do
gia dat binh duong | gia_dat | Bình Dương
land price per m2 | gia_dat nha_thuong_mai:1
giá nhà chung cư | nha_thuong_mai
thuế TNCN | thue_tncn
corporate income tax | thue_tndn
hddt | hoa_don
đấu thầu qua mạng | dau_thau
kim ngạch xuất khẩu | hai_quan
lạm phát | gia_tieu_dung
startup mới thành lập | doanh_nghiep
nợ xấu | tin_dung
chuyển khoản QR | thanh_toan
điểm thi đại học | diem_thi
ty le bo hoc | hoc_sinh
thiếu giáo viên nam định | giao_vien | Nam Định
bụi mịn hà nội | khong_khi | Hà Nội
rác thải sinh hoạt | chat_thai
rainfall by month | luong_mua
lũ lụt quảng nam | lu_lut | Quảng Nam
pha rung | rung
dịch tả heo | chan_nuoi
đánh cá | thuy_san
hoá đơn tiền điện | dien
mua sắm online | thuong_mai_dien_tu
khach san homestay | du_lich
trộm cắp | toi_pham
dich vu cong truc tuyen kien giang | dich_vu_cong | Kiên Giang
cháy nhà | chay_no
trễ chuyến | chuyen_bay
người già neo đơn | nguoi_cao_tuoi
hộ nghèo hoà bình | ho_ngheo
trạm sạc vinfast | tram_sac
FDI bắc giang | dau_tu_nuoc_ngoai
KCN | khu_cong_nghiep
nước biển bị nhiễm mặn | xam_nhap_man
"""

STRANGER = tuple(map(read_judged, _ROWS.strip().splitlines()))
