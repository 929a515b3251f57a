"""More judged questions, written before listings' synonyms, weights and the other questions were looked at.

A random quarter was set aside (`SET_ASIDE`): measured before and after the search was worked on with the others
(`ASKED`), and not looked at in between.
"""

from __future__ import annotations

from bench.queries_of_viet_nam import read_judged

_ASKED = """
du lieu bhyt theo tinh | kham_chua_benh bao_hiem_xa_hoi:1
số người tham gia BHXH | bao_hiem_xa_hoi
thống kê khai sinh | khai_sinh
SXKD doanh nghiệp nhỏ và vừa | doanh_nghiep thue_tndn:1
giá đất Bình Dương | gia_dat | Bình Dương
sổ đỏ | so_do thua_dat:1
gia thue can ho chung cu | nha_o:2 gia_dat:2
mật độ dân số các xã | dan_so
người cao tuổi sống một mình | nguoi_cao_tuoi dan_so:1
tngt | tai_nan_giao_thong
ket xe sai gon | xe_buyt:1 tai_nan_giao_thong:1 vi_pham_giao_thong:1 | Hồ Chí Minh
tuyến xe buýt và lượng khách | xe_buyt
giá lúa ĐBSCL | lua gia_tieu_dung:1
lượng mưa theo giờ | luong_mua
bụi mịn pm2.5 | khong_khi
nước sạch nông thôn | truong_hoc:1 nha_o:2 nuoc_mat:1
dữ liệu về điện tiêu thụ hộ gia đình | dien
trẻ em bỏ học | hoc_sinh
điểm thi tốt nghiệp THPT | diem_thi
diem chuan dai hoc | diem_thi:2 sinh_vien:2
số giường bệnh viện công | benh_vien
ca mắc sốt xuất huyết | sot_xuat_huyet
ehr patients diabetes | tieu_duong kham_chua_benh:1
don thuoc ngoai tru | don_thuoc kham_chua_benh:1
tiêm chủng mở rộng | tiem_chung
luong cong nhan kcn | tien_luong lao_dong:1
tỷ lệ thất nghiệp thanh niên | that_nghiep lao_dong:2
công suất phòng khách sạn Đà Nẵng | du_lich | Đà Nẵng
đơn hàng TMĐT | thuong_mai_dien_tu
credit scoring thin file customers | tin_dung thanh_toan:1
no xau ngan hang | tin_dung
giao dịch ví điện tử | thanh_toan
để huấn luyện mô hình chấm điểm tín dụng | tin_dung thanh_toan:1
chọn chỗ mở cửa hàng tiện lợi | dan_so muc_song:2 gia_dat:1 gia_tieu_dung:1
dịch tả lợn | chan_nuoi
sạt lở đất lũ quét miền núi | lu_lut luong_mua:1
ly hon ket hon | ket_hon
hộ nghèo cận nghèo | ho_ngheo
duwx lieeuj daan soos | dan_so
gias ddaats | gia_dat
giấy phép láí xe | giay_phep_lai_xe
land parcels agricultural use | thua_dat
driving licence points deducted | giay_phep_lai_xe vi_pham_giao_thong:2
vehicle registration electric cars | dang_ky_xe
thửa đất nông nghiệp | thua_dat
giá nhà Thủ Đức | gia_dat nha_o:1 | Hồ Chí Minh
lao động xuất khẩu Nhật Bản | xuat_khau_lao_dong
tuyển dụng IT lương lập trình viên | tien_luong lao_dong:1
chỉ số giá tiêu dùng cpi | gia_tieu_dung
vốn FDI | doanh_nghiep:2
án dân sự tòa án | ban_an
viễn thông thuê bao di động | thue_bao
tốc độ internet | thue_bao
hành vi mua sắm siêu thị thẻ thành viên | thuong_mai_dien_tu:2 thanh_toan:2 muc_song:1 gia_tieu_dung:1
gia heo hoi | chan_nuoi:2 gia_tieu_dung:2
nhập viện tim mạch | kham_chua_benh tang_huyet_ap:2 tu_vong:1
ung thư | ung_thu tu_vong:1
vi phạm phạt nguội | vi_pham_giao_thong
cư trú tạm trú công nhân | cu_tru
chi phí khám chữa bệnh bảo hiểm | kham_chua_benh
xuat xu hang hoa may mac | hai_quan
rác thải sinh hoạt | chat_thai
hộ kinh doanh cá thể nộp thuế | thue_tncn:2 doanh_nghiep:2 no_thue:2 thue_tndn:1
khởi nghiệp gọi vốn | doanh_nghiep sang_che:1
tourism hotel bookings | du_lich
mobile money rural | thanh_toan thue_bao:1
sinh viên ra trường có việc làm | sinh_vien
xe điện trạm sạc | dang_ky_xe:2 dien:1
bảo hiểm xe cơ giới bồi thường | tai_nan_giao_thong:2 dang_ky_xe:2 dang_kiem:1
"""
_SET_ASIDE = """
GPLX hạng A1 | giay_phep_lai_xe
bằng lái xe máy Hà Nội | giay_phep_lai_xe | Hà Nội
đăng ký doanh nghiệp mới thành lập TPHCM | doanh_nghiep | Hồ Chí Minh
dan so gia hoa | dan_so:2 nguoi_cao_tuoi luong_huu:1
xuất khẩu cà phê Tây Nguyên | hai_quan
air quality hourly hanoi | khong_khi | Hà Nội
khách quốc tế đến Việt Nam | du_lich xuat_nhap_canh:2
hoá đơn điện tử | hoa_don
container hai quan xnk | hai_quan
thuỷ sản nuôi tôm sú | thuy_san
cháy rừng | rung:2 chay_no:2
bảo hiêm y tê | kham_chua_benh
births and deaths registry | khai_sinh tu_vong
chuyen muc dich su dung dat | thua_dat so_do:1
Hà Tây cũ dân cư | dan_so cu_tru:2 muc_song:2 | Hà Nội
giá xăng dầu | gia_tieu_dung
đấu thầu mua sắm công | dau_thau
suy dinh dưỡng trẻ dưới 5 tuổi | tiem_chung:1 khai_sinh:1 ho_ngheo:1
nhu cầu nhà ở xã hội | nha_o ho_ngheo:1
khám chữa bệnh trái tuyến | kham_chua_benh benh_vien:1
dự báo nhu cầu giường bệnh | benh_vien kham_chua_benh:2 sot_xuat_huyet:1
school enrolment by province | hoc_sinh truong_hoc:1
poverty rate ethnic minorities | ho_ngheo dan_toc_thieu_so
đăng kiểm ô tô | dang_kiem dang_ky_xe:1
"""
ASKED = tuple(read_judged(row) for row in _ASKED.strip().splitlines())
SET_ASIDE = tuple(read_judged(row) for row in _SET_ASIDE.strip().splitlines())
