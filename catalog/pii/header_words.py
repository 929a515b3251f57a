"""The words by which columns of Vietnamese offices are called, folded: for a kind, and against it."""

from __future__ import annotations

from typing import Final

from catalog.pii.kinds import Kind


def _split(phrases: str) -> frozenset[str]:
    return frozenset(phrase.strip() for phrase in phrases.split("|"))


def _phrases(table: dict[Kind, str]) -> dict[Kind, frozenset[str]]:
    return {kind: _split(phrases) for kind, phrases in table.items()}


FOR: Final = _phrases({
    "citizen_id": """
        cccd | can cuoc | the can cuoc | can cuoc cong dan | so dinh danh | ma dinh danh | legal id |
        dinh danh ca nhan | sdd | ddcn | cmnd | cmt | cmtnd | chung minh | chung minh thu | citizen id |
        citizen | national id | id card | identity | identity number | personal id | cic | cid |
        giay to tuy than | so giay to | gttt | so gttt | giay to | loai giay to | so gt | id doc | id no |
        id number | nid | so cc | so cmt | so cmnd
    """,
    "old_citizen_id": """
        cmnd | cmt | cmtnd | chung minh | chung minh thu | chung minh nhan dan | cccd | can cuoc |
        national id | id card | identity | identity number | citizen id | old id | legal id |
        giay to tuy than | so giay to | gttt | giay to | so gt | id doc | id no | id number | nid |
        personal id | old citizen id
    """,
    "phone": """
        sdt | so dien thoai | dien thoai | dtdd | di dong | dt | phone | phone number | mobile | tel |
        telephone | cell | cellphone | hotline | lien he | lien lac | contact | zalo | viber | whatsapp |
        so lien lac | so may | msisdn | fone | phones | so dt | dt lien he | sms | fax | phone no |
        mobile no | dt nha | dt ban | dien thoai ban | may ban | so fax | call | thue bao |
        so thue bao | subscriber no | subscriber number | caller | callee | lh
    """,
    "tax_code": """
        mst | ma so thue | ma thue | thue | tax | tax code | tax id | tin | taxcode | vat no | vat number |
        vat code | tax number | tax no | masothue
    """,
    "social_insurance": """
        bhxh | bao hiem xa hoi | so bhxh | ma bhxh | ma so bhxh | so so bhxh | bhyt | bao hiem y te |
        the bhyt | so the bhyt | social insurance | si no | social security | ssn | insurance no |
        insurance number | health insurance | so bao hiem | ma bao hiem | the bao hiem | bao hiem |
        insurance id | insurance | sin | vssid | so so bao hiem | hi card | si number | si book | si code |
        si id | insurance book | insurance code | insurance card
    """,
    "plate": """
        bien so | bien so xe | bien kiem soat | bks | bsx | bien xe | so xe | xe | plate | licence plate |
        license plate | plate number | vehicle | vehicle plate | car number | registration | reg no |
        plate no | bien ks | phuong tien | so dang ky xe | vehicle no | vehicle reg | veh reg | so dk |
        so dk xe | bien dang ky |
        bien | bsks | veh no | veh plate | car no | dau keo | romooc | ro mooc | mooc | truck | truck no |
        trailer | registration no | bien kiem soat xe
    """,
    "passport": """
        ho chieu | so ho chieu | hc | shc | doc no | document no | passport | passport no | passport number |
        pp no | ppt | giay to tuy than | travel document | so hc | pass no | pp | pass | pass number |
        pspt | travel doc | travel document no | travel document number | giay to | id doc | passport id | hc no |
        hc nuoc ngoai | doc number | so gt | giay thong hanh
    """,
    "bank_card": """
        so the | the | the ngan hang | the tin dung | the atm | card | card number | card no | pan |
        credit card | debit card | bank card | atm | the ghi no | so tai khoan the | payment card |
        the thanh toan | the visa | napas | cc number | card nbr | card num | the chinh | the phu |
        so the atm | primary account number
    """,
    "email": """
        email | e mail | mail | thu dien tu | hop thu | dia chi email | mailbox | email address | gmail |
        dc email | thu | mail lien he | mail lh
    """,
    "person_name": """
        ho ten | ho va ten | hoten | ten | ten day du | ten khach hang | ten nguoi | full name | fullname |
        name | customer name | khach hang | nguoi nhan | nguoi gui | chu ho | benh nhan | ten benh nhan |
        nguoi dai dien | dai dien | nhan vien | ten nhan vien | hoc sinh | sinh vien | chu xe | chu the |
        chu tai khoan | nguoi lien he | nguoi mua | nguoi ban | nguoi ky | patient | patient name |
        owner name | contact name | employee | employee name | student | holder | cardholder | nguoi nop |
        nguoi khai | cha | me | vo | chong | bo | ho ten cha | ho ten me | nguoi lap | bac si | tai xe |
        giao vien | customer | recipient | sender | client | person | driver | doctor | ten kh | ten nv | ht |
        tvt | nguoi than | chu so huu | owner | ho dem ten | nguoi bao lanh | nguoi thu huong | guardian |
        beneficiary | passenger | hanh khach | nguoi dung | user name | thanh vien | member | hoi vien |
        xa vien | thuyen vien | thuyen truong | chu tau | phu huynh | nguyen don | bi don | bi cao |
        tham phan | thu ky | can bo | giam ho | giam doc | ke toan truong | thu kho | thu quy | giam dinh vien |
        dieu tra vien | cong chung vien | luat su | guest | ndbh | bmbh | nguoi duoc bao hiem |
        ben mua bao hiem | ben mua bh | gdv | giao dich vien | tvv | tu van vien | dai ly vien | ktv | gvcn |
        lop truong | lai xe | nguoi giao | nguoi nop don | nguoi lam don | nguoi dung ten | nguoi uy quyen |
        insured | policyholder | policy holder | claimant | payee | payer | agent | agent name | adviser |
        advisor | broker | consignee | consignor | shipper | shipper name | receiver | receiver name |
        applicant | signer | signatory | teller | teacher | parent | spouse | witness | nguoi lam chung |
        nguoi thua ke | nguoi phu thuoc | relative | cust nm | cust name | emp name | staff | staff name |
        physician | nurse | pax | pax name | truong doan | doi truong | to truong | hieu truong |
        truong phong | truong ban | truong khoa | huong dan vien | hdv | trinh duoc vien | nguoi lao dong |
        nld | doi tuong | nguoi nop thue | nnt | dieu duong | bs | ho ten bn | nguoi dai dien phap luat |
        manager | captain | crew | supervisor | director | inspector | auditor | officer | chairman | pilot |
        borrower | guarantor | tenant | landlord | donor | subscriber name | mentor | engineer | technician |
        bi thu | chu tich | uy vien | tai cong | phi cong | co pho | ho ly | y ta | vdv | hlv | chu nhiem |
        nan nhan | bi can | ban doc | doc gia | cu tri | ho dan | thi sinh | ung vien | nghe nhan |
        phu trach | benh nhi | reporter | assignee | reviewer | renter | guide | shareholder | co dong
    """,
    "address": """
        dia chi | dc | diachi | address | addr | thuong tru | tam tru | noi o | cho o | noi cu tru | cu tru |
        ho khau | dia chi nha | giao hang | noi giao | noi nhan | dia chi giao | dia chi lien he | residence |
        home address | street | shipping address | que quan | noi sinh | dc lien he | hktt | dktt |
        nguyen quan | location | mailing | domicile | permanent address | current address | home |
        noi dang ky | so nha | dia diem | dc nha | dchi | dc giao | dc nhan | dc lay | cho o hien nay |
        ship to | deliver to | delivery address | pickup address | noi thuong tru | noi tam tru | noi cu ngu |
        dc tam tru | dc thuong tru | noi o hien tai
    """,
    "birth_date": """
        ngay sinh | nam sinh | ngay thang nam sinh | sinh ngay | sinh | ns | ntns | dob | d o b | birth |
        birthday | birth date | birthdate | date of birth | bday | ngaysinh | sinh nhat | born |
        year of birth | birth year | yob | namsinh | ng sinh | nsinh | ngs | ngsinh | birth dt | birthdt |
        date birth | sinh nam | nam sinh me | bdate | ngay thang sinh
    """,
    "coordinates": """
        toa do | vi do | kinh do | lat | latitude | lon | lng | long | longitude | gps | coord | coords |
        coordinate | coordinates | geo | geolocation | vi tri | latlng | latlong | lat long | location |
        kinh vi do | point | geom | position | dinh vi | toado | map | ban do | wgs | x | y
    """,
    "area": """
        tinh | tinh thanh | province | thanh pho | city | xa | phuong | quan | huyen | ward | district |
        que quan | noi sinh | khu vuc
    """,
    "free_text": """
        ghi chu | mo ta | noi dung | note | notes | comment | comments | remark | remarks | dien giai |
        y kien | description | message | text
    """,
})  # fmt: skip

ANY_CODE: Final = _split("""
    cell id | ma vt | ma don | don hang | ma dh | dh | ma dat | so hoa don | so hd | ma hd | hoa don |
    invoice | order |
    order no | order id | van don | tracking | ma vach | barcode | sku | ean | imei | serial | seri |
    so seri | lot | batch | so lo | ma sp | san pham | product | ma hang | ma vat tu | ma giao dich |
    giao dich | transaction | txn | trace | ma tham chieu | reference | ref | so chung tu | chung tu |
    voucher | coupon | so tien | tien | gia | don gia | thanh tien | tong tien | so du | amount | price |
    total | cost | revenue | doanh thu | luong | salary | so luong | quantity | qty | hop dong | contract |
    so hop dong | ma ho so | ho so | ticket | case id | session | timestamp | epoch | thoi gian | checksum |
    hash | so phieu | phieu | bien lai | receipt | so cong van | cong van | ma kien | kien hang | shipment |
    ma lo | isbn | meter | cong to | ma khach | ma kh | customer id | account no | so tai khoan | tai khoan |
    stk | account | luot xem | views | phieu thu | don | seal | chi niem phong | niem phong | kep chi |
    so bao danh | sbd | cif | policy | policy no | claim | claim no | so don | po | so po | bill | bill of lading |
    so hieu | so hieu bang | so khung | so qd | quyet dinh | ma qd | container | part no | part number |
    dong ho | so bang | van bang | bang cap | chung chi | certificate | diploma | so giay phep | giay phep |
    license no | licence no | permit
""")
AGAINST: Final = _phrases({
    "person_name": """
        san pham | ten sp | product | product name | hang hoa | ten hang | cong ty | company | doanh nghiep |
        ten cty | to chuc | organization | organisation | don vi | ten don vi | ten dn | dn | duong |
        ten duong | street | pho | truong | ten truong | school | thuong hieu | brand | dia danh | tinh |
        huyen | xa | phuong | mon an | mon | nha hang | cua hang | shop | store | du an | project | thuoc |
        ten thuoc | nha cung cap | supplier | vendor | chi nhanh | branch | benh vien | hospital | chuc vu |
        tieu de | title | bai hat | sach | phim | khach san | hotel | nhan hieu | dong sp | model | place |
        city | province | cong trinh | toa nha | building | ngan hang | bank | khu vuc | giong | cay | hoa |
        dish | item | merchant | nganh | khoa | category | danh muc | tuyen | tram | station | ga | ben xe |
        ten hh | garage | gara | kho | buu cuc | bc | bv | cn | pgd | phong giao dich | branch name | noi cap |
        goods | goods desc | goods name | item name | vat tu |
        nguyen lieu | di tich | danh lam | le hoi | van phong | office | notary office | vpcc
    """,
    "birth_date": """
        ngay cap | cap ngay | ngay tao | created | created at | updated | ngay het han | het han | expiry |
        expire | expires | ngay giao | ngay dat | order date | ngay mua | ngay ky | hop dong | ngay vao |
        vao lam | start | start date | end date | ngay ket thuc | bat dau | ket thuc | issue | issued |
        issue date | ngay lap | ngay nhap | nhap vien | ra vien | ngay kham | kham | admission | thanh lap |
        founded | established | ngay san xuat | nsx | hsd | mfg | ngay thanh toan | payment date | due date |
        ngay dang ky | registered | joined | join date | hire date | ngay nop | ngay mat | death |
        ngay ban hanh | ban hanh | hieu luc | effective | transaction date | ngay gd | giao dich | ngay cuoi |
        ket hon | cap nhat | khai truong | ngay hoc | nam sx | nam san xuat | hoat dong | version |
        app version | phien ban | firmware | fw | sinh vien | ma sinh vien | hoc sinh | sinh hoc | ve sinh |
        nam xay dung | nam thanh lap | ngay tuyen dung | tuyen dung | published | release | nam xuat ban |
        xuat ban | nam cap | tot nghiep | graduation | ngay ban |
        du sinh | ngay du sinh | kham thai | due date
    """,
    "address": """
        email | e mail | ip | mac | url | web | website | san pham | product | ten sp | thu dien tu |
        tieu de | mail | wallet | noi cap | co quan cap | issued by
    """,
    "coordinates": """
        nhiet do | temperature | do am | humidity | ty gia | rate | gia | price | amount | diem | score |
        trong luong | weight | chieu cao | height | so do | ap suat | do ph | ty le | percent |
        lat ms | latency | long term | do phan giai
    """,
})  # fmt: skip
CODED: Final[frozenset[Kind]] = frozenset(
    ("citizen_id", "old_citizen_id", "phone", "tax_code", "social_insurance", "plate", "passport", "bank_card")
)


def _vocabulary() -> frozenset[str]:
    """Single words of the phrases, and the small ones that stand between them."""
    phrases = [ANY_CODE, *FOR.values(), *AGAINST.values()]
    said = {word for table in phrases for phrase in table for word in phrase.split() if len(word) > 1}
    return frozenset(said) - {"to", "in", "at", "of", "so"} | _BETWEEN


_BETWEEN: Final = _split("""
    so | ma | kh | bn | nv | hs | sv | gv | ph | con | nguoi | nha | cua | lh | khach | gui | nhan | giao |
    moi | cu | ong | ba | dang | ky | cap | ngay | nam | thang | cust | emp | user | num | nbr | nm | addr |
    chinh | phu | lien | dn | ct | xe | vn | co | don
""")  # fmt: skip
WORDS: Final = _vocabulary()
