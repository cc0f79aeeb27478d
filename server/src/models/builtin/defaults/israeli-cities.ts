import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";

/**
 * Cities and towns of Israel in Hebrew and English, each in the language in which it was said. Written for aftercall after
 * what the country's Central Bureau of Statistics lists as cities and local councils; no data set was copied, and villages
 * are left out. Left out too are places whose name is an everyday word or a first name (אזור, אפרת, אריאל, אלעד, עומר,
 * ערד, שדרות, שלומי, מיתר, קדימה, מגדל): found without a look at the sentence they would be wrong more often than right.
 * A tenant who works there puts them into the list of its own plan.
 */
export const israeliCities: FieldDef["entries"] = `
  ירושלים | Jerusalem
  תל אביב, תל אביב יפו, ת"א | Tel Aviv, Tel-Aviv Yafo, Tel Aviv Jaffa, TLV
  יפו | Jaffa, Yafo
  חיפה | Haifa
  ראשון לציון, ראשל"צ | Rishon LeZion, Rishon
  פתח תקווה, פתח תקוה, פ"ת | Petah Tikva, Petach Tikva, Petah Tiqwa
  אשדוד | Ashdod
  נתניה | Netanya, Natanya
  באר שבע, ב"ש | Beersheba, Be'er Sheva, Beer Sheva, Beer Sheba
  בני ברק | Bnei Brak, Bene Beraq
  חולון | Holon
  רמת גן, ר"ג | Ramat Gan
  אשקלון | Ashkelon, Ashqelon
  רחובות | Rehovot
  בת ים | Bat Yam
  בית שמש | Beit Shemesh, Bet Shemesh
  כפר סבא, כפ"ס | Kfar Saba, Kefar Sava
  הרצליה, הרצלייה | Herzliya, Herzlia
  חדרה | Hadera
  מודיעין, מודיעין מכבים רעות | Modiin, Modi'in, Modi'in Maccabim Reut
  מודיעין עילית, קריית ספר | Modiin Illit, Modi'in Illit
  נצרת | Nazareth
  נוף הגליל, נצרת עילית | Nof HaGalil, Nazareth Illit
  לוד | Lod
  רמלה | Ramla, Ramle
  רעננה | Ra'anana, Raanana
  הוד השרון | Hod HaSharon
  גבעתיים | Givatayim
  קריית אתא, קרית אתא | Kiryat Ata
  קריית גת, קרית גת | Kiryat Gat
  קריית מוצקין, קרית מוצקין | Kiryat Motzkin
  קריית ביאליק, קרית ביאליק | Kiryat Bialik
  קריית ים, קרית ים | Kiryat Yam
  קריית אונו, קרית אונו | Kiryat Ono
  קריית מלאכי, קרית מלאכי | Kiryat Malakhi, Kiryat Malachi
  קריית שמונה, קרית שמונה | Kiryat Shmona
  קריית טבעון, קרית טבעון, טבעון | Kiryat Tivon, Tivon
  קריית עקרון, קרית עקרון | Kiryat Ekron
  קריית ארבע, קרית ארבע | Kiryat Arba
  קריית יערים, קרית יערים | Kiryat Yearim
  נהריה, נהרייה | Nahariya
  עכו | Akko
  עפולה | Afula
  טבריה | Tiberias
  צפת | Safed, Tzfat
  כרמיאל | Karmiel, Carmiel
  מעלות תרשיחא | Ma'alot Tarshiha, Maalot Tarshiha
  מגדל העמק | Migdal HaEmek
  יקנעם, יקנעם עילית | Yokneam, Yoqneam
  בית שאן | Beit She'an, Beit Shean, Beth Shean, Bet Shean
  טירת כרמל, טירת הכרמל | Tirat Carmel
  נשר | Nesher
  אור עקיבא | Or Akiva
  זכרון יעקב | Zichron Yaakov, Zikhron Ya'akov
  בנימינה, בנימינה גבעת עדה | Binyamina
  פרדס חנה, פרדס חנה כרכור, כרכור | Pardes Hanna, Pardes Hanna Karkur, Karkur
  קיסריה | Caesarea
  כפר יונה | Kfar Yona
  אבן יהודה | Even Yehuda
  תל מונד | Tel Mond
  קדימה צורן | Kadima Zoran
  פרדסיה | Pardesiya
  כוכב יאיר, צור יגאל | Kochav Yair, Kokhav Ya'ir
  ראש העין | Rosh HaAyin, Rosh Ha'ayin
  שוהם | Shoham
  גבעת שמואל | Givat Shmuel
  אור יהודה | Or Yehuda
  יהוד, יהוד מונוסון | Yehud, Yehud Monosson
  סביון | Savyon
  גני תקווה, גני תקוה | Ganei Tikva
  בית דגן | Beit Dagan
  נס ציונה | Ness Ziona, Nes Ziyyona
  באר יעקב | Be'er Ya'akov, Beer Yaakov
  מזכרת בתיה | Mazkeret Batya
  גדרה | Gedera
  יבנה | Yavne
  גן יבנה | Gan Yavne
  אופקים | Ofakim
  נתיבות | Netivot
  דימונה | Dimona
  ירוחם | Yeruham, Yerucham
  מצפה רמון | Mitzpe Ramon
  להבים | Lehavim
  אילת | Eilat
  מבשרת ציון, מבשרת | Mevaseret Zion
  אבו גוש | Abu Ghosh
  מעלה אדומים | Ma'ale Adumim, Maale Adumim
  ביתר עילית, ביתר | Beitar Illit
  גבעת זאב | Givat Ze'ev, Givat Zeev
  בית אל | Beit El
  קרני שומרון | Karnei Shomron
  אורנית | Oranit
  אלפי מנשה | Alfei Menashe
  ראש פינה | Rosh Pina
  קצרין | Katzrin
  חצור הגלילית | Hatzor HaGlilit
  יסוד המעלה | Yesud HaMa'ala
  מטולה | Metula
  רמת ישי | Ramat Yishai
  רמת השרון | Ramat HaSharon
  אלקנה | Elkana
  כפר ורדים | Kfar Vradim
  עתלית | Atlit
  אום אל פחם | Umm al-Fahm, Umm el Fahm
  טייבה | Tayibe, Taibe
  טירה | Tira
  קלנסווה | Qalansawe, Kalansua
  כפר קאסם | Kafr Qasim, Kfar Qasem
  באקה אל גרבייה | Baqa al-Gharbiyye
  שפרעם | Shefa-Amr, Shfaram
  סח'נין, סכנין | Sakhnin
  טמרה | Tamra
  עראבה | Arraba
  מג'ד אל כרום | Majd al-Krum
  דלית אל כרמל, דליית אל כרמל | Daliyat al-Karmel
  עוספיא, עספיא | Isfiya
  ירכא | Yarka
  מג'דל שמס | Majdal Shams
  כפר כנא | Kafr Kanna
  כפר קרע | Kafr Qara
  ג'לג'וליה | Jaljulia
  ג'דיידה מכר | Jadeidi Makr
  יפיע | Yafa an-Naseriyye
  רהט | Rahat
  תל שבע | Tel Sheva, Tel as-Sabi
  חורה | Hura
  לקייה | Lakiya
  ערערה | Ar'ara, Arara
  סגב שלום, שגב שלום | Segev Shalom
  כסייפה | Kuseife
`
  .trim()
  .split("\n")
  .flatMap((line) => line.split("|").map(entry));

/** The first name is the value, the others mean the same. */
function entry(names: string): FieldDef["entries"][number] {
  const [value = "", ...aliases] = names.split(",").map((name) => name.trim());
  return { value, aliases };
}
