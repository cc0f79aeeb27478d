/**
 * The small words of a language: so frequent that they tell the language, and so empty that they say nothing about what a
 * sentence is about. Written as `tokensOf` folds them: lower case, no accents, Hebrew finals as plain letters.
 */
export const functionWords: Readonly<Record<string, ReadonlySet<string>>> = {
  en: words(`a about after all also am an and any are as at be because been but by can could did do does don't for from get
    go got had has have he her here him his how i i'd i'll i'm i've if in into is it it's its just know let like me my no
    not now of off oh ok okay on one or our out please really right she so some thank thanks that that's the their them
    then there they this to too up us very want was we we're well were what when where which who will with would yeah yes
    you you're your`),
  he: words(`אבל או אולי אז אחד אחת אחרי אי איך אין איפה איתי אכ אל אלה אליכ אמ אנחנו אני אפשר את אתה אתמ באמת בגלל בוא בכל
    בסדר בשביל גמ דבר ה הוא היא היה הייתי היו הינה הכל המ הנה הרבה זאת זה זו יהיה יופי יותר יש כ כאילו כאנ כבר כדי כולמ כי
    כל כלומר כמו כמה כנ לא להיות לו לי לכ לכמ לנו למה לפני מ מאוד מה מי מתי נו נכונ עד עוד על עכשיו עמ פה צריכ רגע רוצה
    רק ש שאני שלא שלומ שלי שלכ שלנו של תודה תהיה`),
  es: words(`a al algo ahora bien como con cuando de del donde el ella en era es esta este esto gracias ha hay la las le lo los
    me mi muy no nos o para pero por porque que quiero se si sin sobre son soy su tengo un una usted y ya yo`),
  fr: words(`a ai alors au aux avec bien bonjour c'est ce ces cette dans de des donc du elle en est et etes être il ils j'ai je
    la le les leur ma mais merci moi mon ne non nous on ou oui par pas pour que qui sa se si son sont suis sur tres tu un
    une votre vous`),
  de: words(`aber als am an auch auf aus bei bin bis bitte da danke das dass dem den der des die doch ein eine einen er es für
    fur habe haben hat ich ihnen ihr im in ist ja kann können konnen mal mein mir mit nach nein nicht noch nur oder sehr sie
    sind so und uns von war was wenn wie wir wird zu zum zur`),
  pt: words(`a ao as bem com como da das de do dos e ela ele em era esta está eu foi isso já ja lhe mais mas me meu minha muito na
    não nao nas nos no o obrigado obrigada os ou para pela pelo por porque que quero se sem sim sua são sao tem tenho um uma
    você voce`),
  it: words(`a ai al alla anche che chi ci come con cosa da dal del della di e è ed gli grazie ha ho i il in io la le lei lo ma
    mi mio molto nel non o per perche perché piu più quando questo se sei si sì sono su un una vorrei`),
  ru: words(`а без бы был была было в вам вас вы да для до его ее если есть еще ещё же за здравствуйте и из или их к как
    когда которые кто ли меня мне можно мой мы на надо нас не нет ни но ну о он она они от по пожалуйста при с сейчас
    спасибо так там то тут ты у уже хорошо хочу что это этот я`),
};

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/));
}
