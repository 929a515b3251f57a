"""Of what Vietnamese names are made, folded (without diacritics): surnames, middle and given syllables."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


COMMON_SURNAMES: Final = _words(
    "nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly dinh truong lam mai trinh dao ha luu"
)
"""Those of nine persons in ten."""

SURNAMES: Final = COMMON_SURNAMES | _words(
    "an au bach ban banh be bien bo ca cai cam can cao cat che chiem chu chau chung co cong cu cung cuu dam "
    "danh dau dich diep dieu doan dong du duu gia giang giap ha han hau hien hinh hoa hong hua hung huu kha "
    "khau khoa khong khuat khuc khuu kieu kim ky la lac lai lang lao lieu linh lo loc loi long lu lua luc "
    "luong luyen lai mac mach mang mau mong mua nghe nghiem nghi nham nhan nhu ninh nong on ong o pho phu "
    "phung phuong quach quan quang quyen sa sam sai son su sung ta tac tang tao tat tay tho than thai thach "
    "thang thanh thao thi thieu tien tieu to ton tong trang tri trieu trinh truu tu tuan tuong ty ung uong van "
    "vang vi viem vien vinh vuong xa xuan y yen ksor rmah siu nay rcom rahlan kpa kpuih hwing hmok mlo nie "
    "eban ayun adrong buonya niekdam kbuor hlong lieng cil kon sa pang krajan thi chamalea katơr mang da ro "
    "bhnuoch alang zoram arat bling a dinh giang cu ma ha thao lau vang sung mua hau chang phan lo ho po lo "
    "tong quang cam lu ca deo bac leo vi ha khuong tran ton man phi nguy tra bi cap chao dien diem doi gian hang "
    "hoac khieu khoang lanh leng lenh leu neang ngan ngu nhac phang te tham thap then thoi trac voong xung khu "
    "phan chong hy tan"
)

SPELLINGS: Final[dict[str, frozenset[str]]] = {
    folded: frozenset(spelled.split("/"))
    for folded, _, spelled in (
        pair.partition("=")
        for pair in _words(
            "tieu=tiêu duong=dương do=đỗ le=lê to=tô ta=tạ ho=hồ ha=hà ngo=ngô mac=mạc luu=lưu vo=võ vu=vũ/vừ "
            "tong=tống/tòng vuong=vương ly=lý/lỳ lai=lại/lai lam=lâm ton=tôn dang=đặng/đàng bui=bùi dao=đào "
            "trinh=trịnh dinh=đinh "
            "truong=trương doan=đoàn/doãn phung=phùng thai=thái tran=trần pham=phạm hoang=hoàng huynh=huỳnh "
            "nguyen=nguyễn luong=lương/lường chau=châu cu=cù tu=từ quan=quản/quán banh=bành tra=trà so=sô pho=phó "
            "xa=xà cho=chớ dam=đàm/đầm hua=hứa khong=khổng than=thân nong=nông trieu=triệu cam=cầm be=bế au=âu "
            "ong=ông co=cồ thach=thạch tang=tăng quach=quách vang=vàng giang=giàng sung=sùng thao=thào lo=lò/lô "
            "la=lã/lả nghiem=nghiêm kieu=kiều ninh=ninh hoa=hoa huu=hữu dong=đồng/đổng thi=thi don=đôn ban=bàn "
            "gia=giá man=mẫn phi=phí nguy=ngụy/nguỵ bi=bì cap=cáp chao=chảo dien=điền diem=diêm doi=đới gian=giản "
            "hang=hàng/hạng hoac=hoắc khieu=khiếu khoang=khoàng lanh=lãnh leng=lèng lenh=lềnh leu=lều neang=neáng "
            "ngan=ngần/ngân ngu=ngũ nhac=nhạc phang=phàng te=tề tham=thẩm/thâm thap=thập then=thèn thoi=thôi "
            "trac=trác tan=tẩn/tần khu=khu chong=chống"
        )
    )
}
"""How surnames are spelled that other words fold to as well: "Đường" is no "Dương"."""

ACCENTED: Final = _words("tan te dien")
"""Surnames that are rare, and without diacritics another word: "tan" is for the most part "Tân"."""

CLANS: Final = _words(
    "nie mlo eban kbuor kdam knul bya hwing hmok ksor siu rcom rochom rmah kpa kpuih adrong ayun buonya "
    "niekdam hlong lieng cil krajan chamalea kator bhnuoch alang zoram bhling poloong coor arat ating hoih "
    "brol kbang hdok rolan romah rocham rahlan touprong jrang hmo nrang bkrong ktla arul hra alio rbam sruk "
    "pcor ya"
)
"""Surnames of the peoples of the highlands, which stand first or last."""

MIDDLES: Final = _words(
    "van thi huu duc dinh minh ngoc quoc cong the xuan thanh quang kim thuy thu bao gia anh hoang hong ba dang "
    "tuan nhat viet duy manh trong van phuong my bich mai lan tien khac nhu tuong thien khanh hai nam trung an "
    "dac si sy phuc ngan diem cam kieu hoai tuyet thao que thuc truc y vinh phu tan nguyen tran le pham ho ton "
    "nu cao doan chi vu diep hieu trieu tri thai quynh linh tu hue yen bao song chan dai bang ngu tu chinh nha "
    "khoi lam uyen mong lap sanh sao cat khang tue tinh"
)

GIVENS: Final = _words(
    "cang cham chan chat chin chuan dac dep dinh duan due duyet em giac hac hen him hoach hoe huan hy khen "
    "khich khiet khon ki lap lem lon luom mao mau min mui ngac ngoi nhai nhon phac phien phiet quat qui quoi "
    "suu tac teo thac them thich thin thuyet tich trach trai trien triet tru tuoc tuu vong xuong sanh bay "
    "ai an anh au bach ban bang bao ba bich bien bieu binh bon boi bong buu ca cam can canh cat chau chi chien "
    "chieu chinh chu chung chuong chuc chuyen co con cong cu cuc cung cuong cuu da dai dam dan dang danh dao "
    "dat dau de diem dien diep dieu dinh do doan doanh don dong du dua duc dung duong duy duyen gam gai giang "
    "giap giao gioi ha hai han hang hanh hao hau hien hiep hieu hinh hoa hoai hoan hoang hoat hoc hoi hong hop "
    "hua hue hung huong huu huy huyen huynh ich ke kha khai kham khang khanh khiem khoa khoan khoat khoi khue "
    "khuong khuyen kien kiem kieu kiet kim ky la lac lai lam lan lang lanh le len lich liem lien lieu linh lo "
    "loan loc loi long lua luan luat luc luong luu luyen luyn ly mai man manh may men mi mien minh mo mong moi "
    "mua muoi my na nam nang nga ngan nghi nghia nghiep nghiem ngo ngoan ngoc ngu nguyen nguyet nha nham nhan "
    "nhat nhi nhiem nhien nho nhu nhuan nhung nhuong nhut nhien ni nien ninh no nu nuong oanh on phat phap phi "
    "phieu phong phu phuc phung phuoc phuong quan quang que quoc quy quyen quyet quynh sa sam san sang sau sen "
    "sinh so soan son song su sum suong suot sy ta tai tam tan tang tao tap tat te thach thai tham than thang "
    "thanh thao thap that thau the theu thi thien thiep thiet thieu thinh tho thoa thoai thoan thom thong thoi "
    "thu thua thuan thuat thuc thue thung thuong thuy thuyen ti tia tien tiep tin tinh to toan toai toi ton "
    "tra trac tram tran trang tri trieu trinh tro trong truc trung truong truyen tu tuan tuat tue tuoi tung "
    "tuong tuy tuyen tuyet tuynh ty ung uoc uy uyen van vang vi vien viet vinh vo vu vui vung vuong vy xa xinh "
    "xuan xuyen y yen yeu bac be beo bet bup chac chanh chang dia dinh duom giau giay ky loan lun lum muon "
    "mung nghin nhin noi phan phin pho rin tham thon thuc tot tro ut xoan hmong pao sinh dua chu mang sung"
)

FOREIGN: Final = _words(
    "james john robert michael william david richard joseph thomas charles mary patricia jennifer linda "
    "elizabeth barbara susan jessica sarah karen anna maria peter paul mark george kevin brian daniel matthew "
    "anthony andrew emily emma olivia sophia lucas noah liam oliver henry jack alice laura julia kate jane kim "
    "park lee chen wang li zhang liu yang zhao huang wu zhou smith johnson williams brown jones garcia miller "
    "davis wilson anderson taylor martin lewis walker young king wright scott hill green adams baker nelson "
    "carter mitchell roberts turner phillips christopher joshua kenneth steven edward ronald timothy jason "
    "jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel "
    "gregory frank alexander raymond patrick dennis jerry tyler aaron adam nathan peter kyle simon martin "
    "stefan andreas hans klaus jurgen wolfgang pierre jean louis claude philippe nicolas antoine julien "
    "camille claire sophie isabelle marie carlos jose juan luis pedro miguel antonio francisco javier manuel "
    "diego pablo fernando sofia carmen marco luca giuseppe giovanni francesco paolo giulia chiara elena ivan "
    "sergei dmitri alexei vladimir mikhail nikolai olga natalia tatiana svetlana irina katarzyna piotr "
    "tomasz agnieszka ahmed mohamed mohammed muhammad omar hassan ibrahim fatima aisha yusuf rajesh amit "
    "rahul sanjay priya anil sunil vijay deepak neha pooja arun kumar singh sharma patel gupta khan ahmad "
    "abdul abdullah siti budi agus dewi wahyu setiawan santoso tanaka suzuki sato watanabe ito yamamoto "
    "nakamura kobayashi kato yoshida yamada sasaki hiroshi kenji takashi yuki akiko haruto satoshi naoko "
    "keiko choi kang yoon kwon hyun zhang wei zheng xiao somchai somsak anan nattapong siriporn garcia "
    "martinez rodriguez lopez gonzalez perez sanchez ramirez muller schmidt schneider fischer weber meyer "
    "becker hoffmann dubois dupont bernard moreau laurent rossi russo ferrari bianchi esposito kowalski "
    "nowak ivanov petrov smirnov evans thomas edwards collins stewart morris rogers reed murphy bailey "
    "richardson peterson watson kelly sanders bennett barnes coleman jenkins patterson hughes butler simmons "
    "bryant sullivan wallace reynolds harrison gibson mcdonald ortiz gomez murray"
)

TITLES: Final = _phrases(
    "anh trai|chi gai|em trai|em gai|ong noi|ba noi|ong ngoai|ba ngoai|con trai|con gai|bo de|me de|"
    "ho ong|ho ba|gia dinh ong|gia dinh ba|"
    "ong|ba|quy co|quy ong|quy ba|anh|chi|co|chu|bac|em|chau|thay|cu|di|cau|bs|bac si|ths|ts|gs|pgs|pgs ts|gs "
    "ts|ks|luat su|ls|mr|"
    "mrs|ms|miss|dr|kh|khach hang|nv|nhan vien|benh nhan|bn|sv|hs|hoc sinh|sinh vien|dong chi|d/c|tien si|"
    "thac si|ky su|ds|duoc si|cn|bs ck1|bs ck2|bscki|bsckii|bs cki|bs ckii|prof|gv|giao vien|tai xe|quy khach|"
    "ths bs|ts bs|dai uy|thieu uy|thuong uy|trung uy|thieu ta|trung ta|dai ta|thuong ta|cb|can bo"
)

FAMOUS: Final = frozenset(
    _phrases(
        "nguyen trai|le loi|tran hung dao|ly thuong kiet|hai ba trung|ba trieu|nguyen hue|quang trung|le duan|"
        "phan chu trinh|phan boi chau|nguyen du|le thanh ton|le van sy|cach mang thang tam|nguyen thi minh khai|"
        "vo thi sau|dien bien phu|nguyen van linh|nguyen van cu|hoang van thu|nguyen dinh chieu|le hong phong|"
        "tran phu|truong chinh|pham van dong|vo nguyen giap|ton duc thang|hoang dieu|ly tu trong|nguyen van troi|"
        "le quy don|chu van an|ngo quyen|dinh tien hoang|le dai hanh|ly thai to|tran nhan tong|tran quoc toan|"
        "hung vuong|an duong vuong|mac dinh chi|nguyen binh khiem|to hien thanh|to huu|xuan dieu|xuan thuy|kim ma|"
        "lang ha|lac long quan|au co|au duong lan|thai ha|tay son|nguyen luong bang|pham ngoc thach|pham ngu lao|"
        "bui thi xuan|nguyen cong tru|nguyen khuyen|tran quang khai|nguyen thai hoc|ho tung mau|nguyen chi thanh|"
        "huynh thuc khang|le trong tan|ho chi minh|nguyen ai quoc|vo van kiet|hoang hoa tham|phan dinh phung|"
        "nguyen tri phuong|doi can|ly nam de|nguyen an ninh|ton that tung|ton that thuyet|duong dinh nghe|"
        "tran duy hung|hoang quoc viet|nguyen khanh toan|nguyen phong sac|dao tan|doan thi diem|ho xuan huong|"
        "trung nu vuong|cao ba quat|phan dang luu|le van luong|to vinh dien|tran cao van|dang thai than|"
        "luong the vinh|nguyen xien|vu trong phung|nam cao|nguyen sieu|pham hong thai|phan huy ich|le quang dinh|"
        "no trang long|tran huy lieu|truong dinh|bach dang|hoang mai|ha dong|bach mai|minh khai|tran khat chan|"
        "dai co viet|le thanh nghi|ta quang buu|giai phong|ham nghi|nguyen kim|mai linh|hoang long|hoang ha|"
        "phuong trang|thien long|bao long|thanh buoi|duc giang|minh long|kim long|hoang anh gia lai|trung nguyen|"
        "su van hanh|ho hoc lam|dinh bo linh|tran nao|ba huyen thanh quan|kha van can|le van viet|to ngoc van|"
        "dang van bi|phan xich long|phan van tri|quang ham|truong sa|le duc tho|hoang sa|nguyen huu tho|"
        "nguyen thi thap|huynh tan phat|ly thanh tong|luy ban bich|nguyen tat thanh|ung van khiem|"
        "xo viet nghe tinh|ton that dam|nguyen xi|vu tong phan|khuong trung|hoang dao thuy|chua boc|ngo gia tu|"
        "ngo thi nham|pham dinh ho|tran xuan soan|trieu viet vuong|mai hac de|phan ke binh|dao duy anh|"
        "pham van bach|"
        "phuc long|bao tin minh chau|hoa phat|ha noi|ha nam|ha giang|ha tinh|lam dong|ly son|ly quoc su|ha long|"
        "ho tay|mai chau|vu thu|an giang|do son|phan thiet|phan rang|vinh long|vung tau|tam ky|tam dao|long an|"
        "ninh binh|thai binh|thai nguyen|dong nai|dong thap|dong ha|dong hoi|cao bang|bac ninh|bac giang|son la|"
        "lai chau|hau giang|kien giang|tien giang|quang ninh|quang nam|phu tho|phu yen"
    )
)
"""Streets, schools, places and firms that bear or look like a person's name."""
