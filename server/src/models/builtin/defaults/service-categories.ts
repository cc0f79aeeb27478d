import type { FieldDef } from "@aftercall/contract/analysis/plan.ts";

/**
 * What people call businesses about, in Hebrew and English, each in the language in which it was said: home services, real
 * estate, vehicles, health and beauty, law and money, events. Written for aftercall. A start that lets a call be sorted
 * with nothing configured; a tenant's plan has the list of what the tenant does.
 */
export const serviceCategories: FieldDef["entries"] = `
  פריצת דלת, פריצת דלתות, פריצה לדלת, לפרוץ דלת, דלת נטרקה, נטרקה הדלת, נעול בחוץ, נעולה בחוץ
  מנעולן, מנעולנים, מנעולנות, פורץ מנעולים
  החלפת מנעול, החלפת צילינדר, להחליף מנעול, להחליף צילינדר, צילינדר חדש
  שכפול מפתחות, שכפול מפתח, לשכפל מפתח
  שיווק נכס, שיווק נכסים, לשווק נכס, לשווק את הנכס, שיווק הנכס
  מכירת נכס, מכירת דירה, מכירת בית, למכור דירה, למכור את הדירה, למכור נכס, למכור בית
  קניית דירה, קניית נכס, רכישת דירה, רכישת נכס, לקנות דירה, לקנות בית, לרכוש דירה
  השכרת דירה, השכרת נכס, להשכיר דירה, להשכיר את הדירה, לשכור דירה, שכירת דירה, דירה להשכרה, דירה בשכירות
  תיווך, מתווך, מתווכת, תיווך נדל"ן, תיווך דירות
  הערכת שווי, שמאי, שמאות, שמאי מקרקעין, הערכת שווי נכס
  ניהול נכסים, ניהול נכס
  משכנתה, משכנתא, ייעוץ משכנתאות, יועץ משכנתאות
  אינסטלציה, אינסטלטור, שרברב, שרברבות, נזילה, נזילת מים, פיצוץ בצנרת, צנרת
  פתיחת סתימה, פתיחת סתימות, סתימה, סתימה בביוב, ביובית
  חשמל, חשמלאי, תקלת חשמל, קצר חשמלי, קצר בחשמל
  מיזוג אוויר, מזגן, מזגנים, התקנת מזגן, תיקון מזגן, טכנאי מזגנים, ניקוי מזגן
  דוד שמש, דוד חשמל, תיקון דוד, החלפת דוד
  תיקון מכונת כביסה, טכנאי מכונות כביסה, תיקון מקרר, תיקון תנור, תיקון מוצרי חשמל, טכנאי מוצרי חשמל
  שיפוצים, שיפוץ, שיפוצניק, קבלן שיפוצים, שיפוץ דירה, שיפוץ מטבח, שיפוץ אמבטיה
  צביעה, צבעי, צביעת דירה, לצבוע את הדירה
  איטום, איטום גגות, איטום גג, רטיבות
  גבס, עבודות גבס, קירות גבס
  ריצוף, ריצוף וחיפוי, רצפים
  אלומיניום, תריסים, תריס, תיקון תריסים
  נגרות, נגר, ארון קיר, מטבחים
  הובלה, הובלות, הובלת דירה, מובילים, מעבר דירה
  ניקיון, נקיון, ניקוי, חברת ניקיון, עוזרת בית, ניקיון דירה, ניקוי ספות, ניקוי שטיחים
  הדברה, מדביר, הדברת ג'וקים, הדברת תיקנים, לוכד נחשים
  גינון, גנן, גיזום עצים, גיזום
  מצלמות אבטחה, התקנת מצלמות, מערכת אזעקה, אזעקה
  גרירה, גרר, שירותי גרירה
  מוסך, טיפול לרכב, תיקון רכב, פנצ'ריה, תקר, פחחות
  ביטוח, סוכן ביטוח, ביטוח רכב, ביטוח דירה, ביטוח חיים
  ייעוץ משפטי, עורך דין, עורכת דין, עו"ד
  ראיית חשבון, רואה חשבון, רו"ח, הנהלת חשבונות, החזרי מס, החזר מס
  הלוואה, הלוואות
  רפואת שיניים, רופא שיניים, מרפאת שיניים, השתלת שיניים, יישור שיניים
  קביעת תור, לקבוע תור, תור לרופא
  פיזיותרפיה, פיזיותרפיסט
  קוסמטיקה, קוסמטיקאית, טיפול פנים, הסרת שיער, לייזר
  מספרה, תספורת, עיצוב שיער
  צילום אירועים, צלם, צלם לאירוע
  קייטרינג, אולם אירועים, הפקת אירועים
  שיעורים פרטיים, שיעור פרטי, מורה פרטי, מורה פרטית
  תיקון מחשבים, טכנאי מחשבים, תיקון מחשב
  תיקון טלפונים, תיקון סלולר, החלפת מסך
  בניית אתר, בניית אתרים, עיצוב אתרים
  קידום אתרים, פרסום דיגיטלי, שיווק דיגיטלי
  emergency lockout, locked out of my house, locked out of my apartment, locked out of my car, door opening, open my door, unlock my door
  locksmith, lock change, change the locks, rekey, rekeying, key cutting
  property marketing, market my property, list my property, listing my house, list my house
  selling a property, sell my house, sell my apartment, sell my home, sell a property, selling my house
  buying a property, buy a house, buy an apartment, buy a home, buying a house, buying a home
  property rental, rent an apartment, rent a house, apartment for rent, rent out my apartment, lease an apartment
  property management, manage my property
  property valuation, home valuation, house valuation, appraisal
  mortgage, mortgages, mortgage advice, refinancing
  plumbing, plumber, leak, water leak, leaking pipe, burst pipe, clogged drain, blocked drain, water heater
  electrical, electrician, power outage, short circuit, rewiring
  air conditioning, air conditioner, AC repair, HVAC, furnace repair, heating repair
  appliance repair, washing machine repair, fridge repair, refrigerator repair, dishwasher repair
  renovation, remodeling, home renovation, kitchen remodel, bathroom remodel, general contractor
  painting, painter, house painting
  roofing, roofer, roof repair, roof leak
  moving company, movers, moving service, move my apartment
  cleaning, cleaning service, house cleaning, carpet cleaning, deep cleaning
  pest control, exterminator
  gardening, gardener, lawn care, landscaping
  security cameras, alarm system, security system
  towing, tow truck, roadside assistance
  car repair, auto repair, mechanic, oil change, flat tire
  insurance, car insurance, home insurance, life insurance
  legal advice, lawyer, attorney
  accounting, accountant, bookkeeping, tax return
  loan, loans, financing
  dental care, dentist, dental cleaning, dental implant, braces
  doctor's appointment, doctor appointment, medical appointment
  physiotherapy, physical therapy, physiotherapist
  beauty treatment, facial, hair removal, manicure
  haircut, hairdresser, barber
  event photography, photographer, wedding photographer
  catering, event planning, event venue
  private lessons, private tutor, tutoring
  computer repair, laptop repair
  phone repair, screen replacement
  web design, website design, build a website
  digital marketing, online advertising, search engine optimization
`
  .trim()
  .split("\n")
  .map((line) => {
    const [value = "", ...aliases] = line.split(",").map((name) => name.trim());
    return { value, aliases };
  });
