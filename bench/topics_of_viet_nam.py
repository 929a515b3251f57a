"""What ministries and provinces of Viet Nam keep data about, in their own words."""

from __future__ import annotations

from msgspec import Struct


class Topic(Struct, frozen=True):
    slug: str
    vi: str
    en: str
    ministry: str
    themes: tuple[str, ...]
    about: str
    about_en: str
    columns: tuple[tuple[str, str, str], ...]
    provincial: bool = True


MINISTRIES = {
    "congan": "Bộ Công an", "yte": "Bộ Y tế", "xaydung": "Bộ Xây dựng", "nongnghiep": "Bộ Nông nghiệp và Môi trường",
    "taichinh": "Bộ Tài chính", "noivu": "Bộ Nội vụ", "giaoduc": "Bộ Giáo dục và Đào tạo", "tuphap": "Bộ Tư pháp",
    "congthuong": "Bộ Công Thương", "vanhoa": "Bộ Văn hóa, Thể thao và Du lịch",
    "khoahoc": "Bộ Khoa học và Công nghệ", "nganhang": "Ngân hàng Nhà nước Việt Nam",
    "dantoc": "Bộ Dân tộc và Tôn giáo", "toaan": "Tòa án nhân dân tối cao", "ngoaigiao": "Bộ Ngoại giao",
}  # fmt: skip
PROVINCES_AS_WRITTEN = (
    "Hà Nội", "Huế", "Lai Châu", "Điện Biên", "Sơn La", "Lạng Sơn", "Quảng Ninh", "Thanh Hóa", "Nghệ An", "Hà Tĩnh",
    "Cao Bằng", "Tuyên Quang", "Lào Cai", "Thái Nguyên", "Phú Thọ", "Bắc Ninh", "Hưng Yên", "Hải Phòng", "Ninh Bình",
    "Quảng Trị", "Đà Nẵng", "Quảng Ngãi", "Gia Lai", "Khánh Hòa", "Lâm Đồng", "Đắk Lắk", "Hồ Chí Minh", "Đồng Nai",
    "Tây Ninh", "Cần Thơ", "Vĩnh Long", "Đồng Tháp", "Cà Mau", "An Giang", "Hải Dương", "Quảng Nam", "Bình Dương",
    "Vĩnh Phúc", "Nam Định", "Bến Tre", "Long An", "Kiên Giang", "Bình Thuận", "Thái Bình",
)  # fmt: skip
_ROWS = """
giay_phep_lai_xe|Giấy phép lái xe còn hiệu lực|Valid driving licences|congan|giao thông|Người có giấy phép lái xe theo hạng, tuổi và nơi cấp.|Licence holders by class, age and place of issue.|hang_gplx=Hạng giấy phép=Licence class;ngay_cap=Ngày cấp=Date of issue;diem_tru=Điểm bị trừ=Penalty points
tai_nan_giao_thong|Tai nạn giao thông đường bộ|Road traffic accidents|congan|giao thông|Các vụ va chạm, số người chết và bị thương, nguyên nhân.|Crashes, deaths and injuries, causes.|so_nguoi_chet=Số người chết=Deaths;nguyen_nhan=Nguyên nhân=Cause;loai_xe=Loại xe=Vehicle type
vi_pham_giao_thong|Xử phạt vi phạm trật tự an toàn giao thông|Traffic violations and fines|congan|giao thông|Lỗi vi phạm, mức phạt tiền, nơi xảy ra.|Offences, fines and places.|loi_vi_pham=Lỗi vi phạm=Offence;muc_phat=Mức phạt=Fine
dang_ky_xe|Phương tiện cơ giới đã đăng ký|Registered motor vehicles|congan|giao thông|Ô tô, mô tô theo nhãn hiệu, năm sản xuất và biển số.|Cars and motorcycles by make and year.|nhan_hieu=Nhãn hiệu=Make;nam_san_xuat=Năm sản xuất=Year of make
dan_so|Dân số và cơ cấu tuổi|Population and age structure|taichinh|dân số|Nhân khẩu thực tế thường trú theo đơn vị hành chính.|Residents by administrative unit.|so_nguoi=Số người=Persons;mat_do=Mật độ=Density
cu_tru|Đăng ký cư trú và chuyển đi chuyển đến|Residence registration and moves|congan|dân số|Thường trú, tạm trú và di chuyển của công dân.|Permanent and temporary residence, and moves.|noi_den=Nơi đến=Destination;ly_do=Lý do=Reason
khai_sinh|Đăng ký khai sinh|Birth registrations|tuphap|hộ tịch|Trẻ em được đăng ký khai sinh theo tháng, giới và tuổi của mẹ.|Births registered by month, sex and age of mother.|tuoi_me=Tuổi của mẹ=Age of mother;can_nang=Cân nặng khi sinh=Birth weight
ket_hon|Đăng ký kết hôn và ly hôn|Marriages and divorces|tuphap|hộ tịch|Tuổi kết hôn, quốc tịch, thời gian chung sống.|Ages, nationality and duration.|tuoi_chong=Tuổi chồng=Age of husband;tuoi_vo=Tuổi vợ=Age of wife
tu_vong|Nguyên nhân tử vong|Causes of death|yte|y tế,hộ tịch|Khai tử theo nguyên nhân chính và tuổi.|Deaths by underlying cause and age.|nguyen_nhan_chinh=Nguyên nhân chính=Underlying cause;ma_icd=Mã bệnh ICD-10=ICD-10 code
ho_ngheo|Hộ nghèo và cận nghèo đa chiều|Multidimensional poor households|nongnghiep|an sinh|Rà soát hộ nghèo theo các chiều thiếu hụt.|Poor households by deprivation.|so_thieu_hut=Số chiều thiếu hụt=Deprivations;thu_nhap_dau_nguoi=Thu nhập đầu người=Income per head
kham_chua_benh|Lượt khám chữa bệnh bảo hiểm y tế|Visits paid by health insurance|yte|y tế|Lượt khám ngoại trú và nội trú, chẩn đoán, chi phí được quỹ trả.|Outpatient and inpatient visits, diagnosis, cost.|ma_benh=Mã bệnh=Diagnosis code;chi_phi=Tổng chi phí=Total cost;ngay_vao=Ngày vào viện=Admission date
tiem_chung|Tiêm chủng mở rộng cho trẻ em|Childhood immunisation|yte|y tế|Mũi tiêm theo loại vắc xin và tháng tuổi.|Doses by vaccine and age in months.|loai_vac_xin=Loại vắc xin=Vaccine;so_mui=Số mũi=Doses
sot_xuat_huyet|Ca bệnh sốt xuất huyết Dengue|Dengue fever cases|yte|y tế|Ca mắc theo tuần, tuổi và phường xã.|Cases by week, age and ward.|tuan=Tuần=Week;nhap_vien=Nhập viện=Hospitalised
tieu_duong|Quản lý người bệnh đái tháo đường|Diabetes patients under care|yte|y tế|Đường huyết, HbA1c và biến chứng của người bệnh.|Blood glucose, HbA1c and complications.|hba1c=HbA1c=HbA1c;bien_chung=Biến chứng=Complication
tang_huyet_ap|Sàng lọc tăng huyết áp|Hypertension screening|yte|y tế|Huyết áp tâm thu, tâm trương khi sàng lọc cộng đồng.|Blood pressure in community screening.|tam_thu=Huyết áp tâm thu=Systolic;tam_truong=Huyết áp tâm trương=Diastolic
ung_thu|Ghi nhận ung thư|Cancer registry|yte|y tế|Loại u, giai đoạn và thời gian sống thêm.|Site, stage and survival.|giai_doan=Giai đoạn=Stage;vi_tri=Vị trí u=Site|-
benh_vien|Danh mục cơ sở khám chữa bệnh|Directory of hospitals and clinics|yte|y tế|Bệnh viện, trạm y tế, số giường và chuyên khoa.|Hospitals, health stations, beds.|so_giuong=Số giường=Beds;tuyen=Tuyến=Level
don_thuoc|Đơn thuốc điện tử|Electronic prescriptions|yte|y tế|Thuốc được kê, hoạt chất, liều dùng.|Drugs prescribed, substance, dose.|hoat_chat=Hoạt chất=Substance;lieu_dung=Liều dùng=Dose|-
an_toan_thuc_pham|Ngộ độc và an toàn thực phẩm|Food poisoning and food safety|yte|y tế|Các vụ ngộ độc, cơ sở chế biến được kiểm tra.|Outbreaks and inspected premises.|so_mac=Số người mắc=Ill;mon_an=Món ăn=Dish
bao_hiem_xa_hoi|Người tham gia bảo hiểm xã hội|Social insurance contributors|taichinh|an sinh|Mức đóng, thời gian đóng theo ngành.|Contributions and years by industry.|muc_dong=Mức đóng=Contribution;so_thang=Số tháng đóng=Months
luong_huu|Người hưởng lương hưu|Pensioners|taichinh|an sinh|Mức hưởng hàng tháng, tuổi nghỉ hưu.|Monthly benefit and retirement age.|muc_huong=Mức hưởng=Benefit|-
that_nghiep|Trợ cấp thất nghiệp|Unemployment benefits|noivu|lao động|Người hưởng bảo hiểm thất nghiệp, nghề cũ, thời gian hưởng.|Recipients, former job, duration.|nghe_cu=Nghề cũ=Former job;so_thang_huong=Số tháng hưởng=Months
lao_dong|Điều tra lao động việc làm|Labour force survey|taichinh|lao động|Tình trạng việc làm, nghề nghiệp, số giờ làm của người từ 15 tuổi.|Employment status, occupation, hours.|nghe_nghiep=Nghề nghiệp=Occupation;so_gio=Số giờ làm=Hours worked
tien_luong|Tiền lương trong doanh nghiệp|Wages in enterprises|noivu|lao động|Lương cơ bản, phụ cấp theo nghề và trình độ.|Base pay and allowances by occupation.|luong=Lương tháng=Monthly pay;trinh_do=Trình độ=Qualification
muc_song|Khảo sát mức sống dân cư|Household living standards survey|taichinh|dân số|Thu nhập và chi tiêu của hộ gia đình.|Household income and spending.|thu_nhap=Thu nhập của hộ=Household income;chi_tieu=Chi tiêu=Spending
tai_nan_lao_dong|Tai nạn lao động|Occupational accidents|noivu|lao động|Vụ tai nạn tại nơi làm việc, yếu tố gây chấn thương.|Accidents at work and causes.|yeu_to=Yếu tố gây chấn thương=Cause
xuat_khau_lao_dong|Người lao động đi làm việc ở nước ngoài|Workers abroad|noivu|lao động|Nước đến, ngành nghề, phí dịch vụ.|Destination, trade and fees.|nuoc_den=Nước đến=Destination|-
thua_dat|Thửa đất và mục đích sử dụng|Land parcels and land use|nongnghiep|đất đai|Diện tích, loại đất, hình thức sử dụng trong bản đồ địa chính.|Area, class and use in the cadastre.|dien_tich=Diện tích=Area;loai_dat=Loại đất=Land class
so_do|Giấy chứng nhận quyền sử dụng đất đã cấp|Land use right certificates issued|nongnghiep|đất đai|Giấy chứng nhận theo đối tượng và nguồn gốc đất.|Certificates by holder and origin.|ngay_cap_giay=Ngày cấp=Date issued;nguon_goc=Nguồn gốc=Origin
gia_dat|Bảng giá đất và giá chuyển nhượng|Land prices|nongnghiep|đất đai|Giá theo tuyến đường, vị trí và giao dịch bất động sản.|Prices by street and position.|gia_m2=Giá mỗi mét vuông=Price per square metre;vi_tri_dat=Vị trí=Position
nha_o|Nhà ở và điều kiện ở|Housing conditions|xaydung|xây dựng|Diện tích bình quân, vật liệu, tiện nghi của căn hộ.|Floor area, materials and amenities.|dien_tich_o=Diện tích ở=Floor area
giay_phep_xay_dung|Giấy phép xây dựng|Building permits|xaydung|xây dựng|Công trình được cấp phép, số tầng, thời gian xử lý.|Permitted buildings, storeys, handling time.|so_tang=Số tầng=Storeys;thoi_gian_xu_ly=Thời gian xử lý=Handling time
thue_tncn|Quyết toán thuế thu nhập cá nhân|Personal income tax returns|taichinh|thuế|Thu nhập chịu thuế, giảm trừ gia cảnh, thuế phải nộp.|Taxable income, deductions, tax due.|thu_nhap_chiu_thue=Thu nhập chịu thuế=Taxable income;thue_phai_nop=Thuế phải nộp=Tax due|-
thue_tndn|Tờ khai thuế thu nhập doanh nghiệp|Corporate income tax returns|taichinh|thuế|Doanh thu, chi phí được trừ, thuế suất.|Revenue, costs, rate.|doanh_thu=Doanh thu=Revenue;thue_suat=Thuế suất=Rate
no_thue|Nợ thuế của người nộp thuế|Tax arrears|taichinh|thuế|Số tiền chậm nộp, số ngày quá hạn.|Amounts and days overdue.|so_ngay_qua_han=Số ngày quá hạn=Days overdue
hoa_don|Hóa đơn điện tử theo ngành hàng|Electronic invoices by trade|taichinh|thuế|Giá trị hóa đơn, thuế suất giá trị gia tăng.|Invoice value and VAT rate.|gia_tri=Giá trị=Value|-
ngan_sach|Thu chi ngân sách địa phương|Local budget revenue and expenditure|taichinh|tài chính công|Dự toán, quyết toán theo chương mục.|Estimates and final accounts by chapter.|du_toan=Dự toán=Estimate;quyet_toan=Quyết toán=Final account
dau_thau|Kết quả lựa chọn nhà thầu|Procurement awards|taichinh|tài chính công|Gói thầu, giá trúng thầu, số nhà thầu dự.|Packages, award price, bidders.|gia_trung_thau=Giá trúng thầu=Award price
hai_quan|Tờ khai hàng hóa xuất nhập khẩu|Customs declarations|taichinh|thương mại|Mặt hàng theo mã HS, nước xuất xứ, trị giá.|Goods by HS code, origin and value.|ma_hs=Mã HS=HS code;tri_gia=Trị giá=Value|-
gia_tieu_dung|Giá hàng hóa và chỉ số giá tiêu dùng|Consumer prices|taichinh|kinh tế|Giá bán lẻ của mặt hàng hàng tuần.|Weekly retail prices.|mat_hang=Mặt hàng=Item;gia_ban=Giá bán=Price
doanh_nghiep|Doanh nghiệp đăng ký thành lập|Newly registered enterprises|taichinh|doanh nghiệp|Vốn điều lệ, ngành nghề, loại hình.|Charter capital, industry and type.|von_dieu_le=Vốn điều lệ=Charter capital;nganh=Ngành=Industry
tin_dung|Dư nợ tín dụng cá nhân|Personal loans outstanding|nganhang|ngân hàng|Khoản vay theo mục đích, kỳ hạn, nhóm nợ.|Loans by purpose, term and class.|so_tien_vay=Số tiền vay=Amount;nhom_no=Nhóm nợ=Debt class|-
thanh_toan|Giao dịch thanh toán không dùng tiền mặt|Cashless payments|nganhang|ngân hàng|Ví điện tử, thẻ và chuyển khoản theo ngành hàng.|E-wallets, cards, transfers.|kenh=Kênh=Channel;so_tien=Số tiền=Amount
hoc_sinh|Học sinh phổ thông|Pupils in general education|giaoduc|giáo dục|Số học sinh, chuyển trường, bỏ học theo lớp.|Pupils, moves and dropouts by grade.|lop=Lớp=Grade;bo_hoc=Bỏ học=Dropout
diem_thi|Điểm thi tốt nghiệp trung học phổ thông|National high school exam scores|giaoduc|giáo dục|Điểm từng môn của thí sinh.|Scores by subject.|diem_toan=Điểm toán=Mathematics;diem_van=Điểm văn=Literature
sinh_vien|Sinh viên đại học và việc làm sau tốt nghiệp|University students and graduate employment|giaoduc|giáo dục|Ngành học, kết quả, việc làm sau 12 tháng.|Field, results, job after 12 months.|nganh_hoc=Ngành học=Field|-
giao_vien|Đội ngũ giáo viên|Teachers|giaoduc|giáo dục|Trình độ, thâm niên, môn dạy.|Qualification, seniority, subject.|mon_day=Môn dạy=Subject;tham_nien=Thâm niên=Seniority
truong_hoc|Danh mục trường học và cơ sở vật chất|Schools and facilities|giaoduc|giáo dục|Phòng học, nước sạch, kết nối mạng.|Classrooms, water, connection.|so_phong=Số phòng học=Classrooms
dao_tao_nghe|Học viên giáo dục nghề nghiệp|Vocational trainees|giaoduc|giáo dục|Nghề học, thời gian, chứng chỉ.|Trade, duration, certificate.|nghe_hoc=Nghề học=Trade
khong_khi|Quan trắc chất lượng không khí|Air quality monitoring|nongnghiep|môi trường|Nồng độ PM2.5, PM10, SO2 theo giờ tại trạm.|Hourly PM2.5, PM10, SO2.|pm25=Nồng độ PM2.5=PM2.5;tram=Trạm=Station
nuoc_mat|Quan trắc chất lượng nước mặt|Surface water quality|nongnghiep|môi trường|pH, DO, BOD của sông hồ.|pH, DO, BOD of rivers and lakes.|do_ph=Độ pH=pH;bod5=BOD5=BOD5
chat_thai|Thu gom chất thải rắn sinh hoạt|Household waste collection|nongnghiep|môi trường|Khối lượng rác, tỷ lệ phân loại.|Tonnage and sorting share.|khoi_luong=Khối lượng=Tonnage
luong_mua|Lượng mưa và nhiệt độ|Rainfall and temperature|nongnghiep|khí hậu|Số đo hàng ngày của trạm khí tượng.|Daily readings of stations.|luong_mua_mm=Lượng mưa (mm)=Rainfall;nhiet_do=Nhiệt độ=Temperature
lu_lut|Thiệt hại do bão lũ|Damage by storms and floods|nongnghiep|khí hậu|Nhà hư hỏng, diện tích ngập, hộ sơ tán.|Houses damaged, area flooded.|nha_hu_hong=Nhà hư hỏng=Houses damaged
rung|Hiện trạng rừng|Forest cover|nongnghiep|lâm nghiệp|Diện tích rừng theo loại và chủ quản lý.|Area by type and manager.|loai_rung=Loại rừng=Forest type
lua|Năng suất lúa|Rice yields|nongnghiep|nông nghiệp|Diện tích gieo trồng, sản lượng theo vụ.|Area sown, output by season.|vu=Vụ=Season;san_luong=Sản lượng=Output
chan_nuoi|Chăn nuôi lợn và dịch tả|Pig farming and swine fever|nongnghiep|nông nghiệp|Tổng đàn, ổ dịch, số tiêu hủy.|Herd, outbreaks, culling.|tong_dan=Tổng đàn=Herd
thuy_san|Nuôi trồng và đánh bắt thủy sản|Fisheries and aquaculture|nongnghiep|nông nghiệp|Sản lượng tôm cá, tàu thuyền.|Output, vessels.|so_tau=Số tàu=Vessels
dien|Điện tiêu thụ của hộ gia đình|Household electricity consumption|congthuong|năng lượng|Số kWh theo tháng và bậc giá.|kWh by month and tier.|kwh=Điện năng=kWh
thuong_mai_dien_tu|Đơn hàng thương mại điện tử|E-commerce orders|congthuong|thương mại|Ngành hàng, giá trị, tỷ lệ hoàn.|Category, value, returns.|gia_tri_don=Giá trị đơn=Order value|-
du_lich|Khách du lịch và lưu trú|Tourists and lodging|vanhoa|du lịch|Lượt khách, quốc tịch, số đêm tại khách sạn.|Arrivals, nationality, nights.|so_dem=Số đêm=Nights;quoc_tich=Quốc tịch=Nationality
di_tich|Di tích lịch sử văn hóa|Heritage sites|vanhoa|văn hóa|Di tích xếp hạng, năm, hiện trạng.|Listed sites and condition.|cap_xep_hang=Cấp xếp hạng=Grade
toi_pham|Tội phạm hình sự|Criminal offences|congan|an ninh|Vụ án theo tội danh, nhân thân người phạm tội.|Offences by type.|toi_danh=Tội danh=Offence
ban_an|Bản án đã công bố|Published court judgments|toaan|tư pháp|Loại vụ, quan hệ tranh chấp, kết quả xét xử.|Case type, dispute, outcome.|quan_he=Quan hệ tranh chấp=Dispute|-
dich_vu_cong|Hồ sơ dịch vụ công trực tuyến|Online public service files|noivu|chính quyền số|Thủ tục, thời gian giải quyết, mức hài lòng.|Procedures, time, satisfaction.|thu_tuc=Thủ tục=Procedure
phan_anh|Phản ánh kiến nghị của người dân|Citizens' complaints|noivu|chính quyền số|Nội dung phản ánh, thời hạn trả lời.|Subject and reply time.|noi_dung=Nội dung=Subject
chay_no|Vụ cháy và cứu nạn|Fires and rescue|congan|an ninh|Nguyên nhân cháy, thiệt hại, thời gian đến.|Causes, damage, response time.|nguyen_nhan_chay=Nguyên nhân=Cause
xe_buyt|Hành khách xe buýt|Bus passengers|xaydung|giao thông|Lượt khách theo tuyến và giờ.|Rides by route and hour.|tuyen_xe=Tuyến=Route
dang_kiem|Kết quả đăng kiểm xe cơ giới|Vehicle inspection results|xaydung|giao thông|Hạng mục không đạt, tuổi xe, khí thải.|Defects, age, emissions.|khi_thai=Khí thải=Emission|-
chuyen_bay|Chuyến bay và hành khách hàng không|Flights and air passengers|xaydung|giao thông|Chậm chuyến, hệ số tải.|Delays and load.|cham_phut=Phút chậm=Delay|-
thue_bao|Thuê bao di động và internet|Mobile and internet subscribers|khoahoc|viễn thông|Thuê bao theo nhà mạng, lưu lượng dữ liệu.|Subscribers by carrier, traffic.|luu_luong=Lưu lượng=Traffic
sang_che|Đơn đăng ký sáng chế|Patent applications|khoahoc|khoa học|Lĩnh vực kỹ thuật, chủ đơn.|Field and applicant.|linh_vuc=Lĩnh vực=Field|-
dan_toc_thieu_so|Thực trạng kinh tế xã hội dân tộc thiểu số|Ethnic minorities survey|dantoc|dân số|53 dân tộc: học vấn, nhà ở, tiếng nói.|Education, housing, language.|dan_toc=Dân tộc=Ethnic group|-
nguoi_cao_tuoi|Sức khỏe người cao tuổi|Health of older people|yte|y tế,an sinh|Hoạt động hàng ngày, bệnh mạn tính.|Daily living, chronic disease.|adl=Hoạt động hàng ngày=ADL
xuat_nhap_canh|Lượt xuất nhập cảnh|Border crossings|congan|an ninh|Cửa khẩu, mục đích, quốc tịch.|Gate, purpose, nationality.|cua_khau=Cửa khẩu=Gate|-
"""


def _topic(row: str) -> Topic:
    slug, vi, en, ministry, themes, about, about_en, columns, *rest = row.split("|")
    named = tuple(tuple(each.split("=")) for each in columns.split(";"))
    return Topic(slug, vi, en, ministry, tuple(themes.split(",")), about, about_en, named, not rest)  # type: ignore[arg-type]


TOPICS = tuple(_topic(row) for row in _ROWS.strip().splitlines())
