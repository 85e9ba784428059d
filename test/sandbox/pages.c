/*
 * see faces.h
 *
 * Every page has what a careless reader trips over: comments and scripts that look like another page's
 * answer, unquoted attributes, tags in both cases, a link to the CA's certificate before the link to
 * the issued one, a message that runs over several lines.
 */
#include "test/sandbox/faces.h"
#include "test/sandbox/issue.h"
#include <inttypes.h>

#define BAR "------------------------------------------------------------"

static void head(struct str *o, enum page_lang lang)
{
    str_puts(o, "<HTML>\r\n<Head>\r\n\t<Meta HTTP-Equiv=\"Content-Type\" Content=\"text/html; "
                "charset=UTF-8\">\r\n");
    str_f(o, "\t<Title>%s</Title>\r\n</Head>\r\n",
        lang == GERMAN ? "Zertifikatdienste der Contoso-Sandbox"
                       : "Contoso Sandbox Certificate Services");
    str_puts(o, "<Body BgColor=#FFFFFF Link=#0000FF ID=locBody>\r\n");
    str_puts(o,
        "<!-- " BAR " -->\r\n"
        "<!-- certnew.cer?ReqID=4711&amp;Enc=bin and ID=locDenied mean nothing in here -->\r\n");
    str_puts(o, "<Script Language=\"JavaScript\">\r\n<!--\r\n"
                "\tvar sTitle = \"<P ID=locInfoNewReq>\";\r\n"
                "\tvar sLink = 'certnew.cer?ReqID=4712&Enc=b64';\r\n//-->\r\n</Script>\r\n");
    str_f(o,
        "<Table Border=0 Width=100%%><TR><TD><A Href=\"default.asp\" ID=locHome>%s</A></TD>"
        "</TR></Table>\r\n",
        lang == GERMAN ? "Startseite" : "Home");
}

static void foot(struct str *o)
{
    str_puts(o, "<!-- " BAR " -->\r\n</Body>\r\n</HTML>\r\n");
}

static void title(struct str *o, const char *text)
{
    str_f(o, "<P ID=locPageTitle><Font Face=\"Arial\"><B> %s </B></Font>\r\n<Hr>\r\n", text);
}

void page_issued(struct str *o, enum page_lang lang, unsigned id)
{
    bool de = lang == GERMAN;

    head(o, lang);
    title(o, de ? "Zertifikat ausgestellt" : "Certificate Issued");
    str_f(o, "<P ID=locInfo> %s </P>\r\n",
        de ? "Das angeforderte Zertifikat wurde f&uuml;r Sie ausgestellt."
           : "Your certificate has been issued.");
    str_f(o,
        "<P><A ID=locCA Href=\"certnew.cer?ReqID=CACert&amp;Renewal=0&amp;Enc=bin\">%s</A>\r\n",
        de ? "Zertifikat der Zertifizierungsstelle" : "Certificate of the CA");
    str_f(o,
        "<Table ID=tblDownload><TR><TD><A Href=\"certnew.cer?ReqID=%u&amp;Enc=bin\" "
        "ID=locDownloadCert3>%s</A>\r\n",
        id, de ? "Zertifikat herunterladen" : "Download certificate");
    str_f(o,
        "<TR><TD><A Href=\"certnew.p7b?ReqID=%u&amp;Enc=bin\" ID=locDownloadChain3>%s</A>"
        "</Table>\r\n",
        id, de ? "Zertifikatkette herunterladen" : "Download certificate chain");
    foot(o);
}

void page_pending(struct str *o, enum page_lang lang, unsigned id)
{
    bool de = lang == GERMAN;

    head(o, lang);
    title(o, de ? "Zertifikat ausstehend" : "Certificate Pending");
    str_f(o, "<P ID=locInfoNewReq>\r\n%s\r\n</P>\r\n",
        de ? "Ihre Anforderung ist angekommen; ein Administrator muss noch zustimmen."
           : "Your request has arrived; an administrator has yet to agree to it.");
    str_f(o, "<P ID=locInfoReqID>\r\n%s %u.\r\n</P>\r\n",
        de ? "Die Anforderungs-ID lautet" : "Your Request Id is", id);
    str_f(o, "<P ID=locInstructions>%s</P>\r\n",
        de ? "Kommen Sie in einigen Tagen wieder." : "Come back in a day or two.");
    foot(o);
}

void page_denied(
    struct str *o, enum page_lang lang, unsigned id, uint32_t hresult, const char *message)
{
    bool de = lang == GERMAN;

    head(o, lang);
    title(o, de ? "Zertifikat verweigert" : "Certificate Denied");
    str_f(o, "<P ID=locDenied> %s </P>\r\n",
        de ? "Die Anforderung wurde verweigert." : "Your request was refused.");
    str_f(o, "<P ID=locInfoReqIDandReason>\r\n%s %u. %s \"%s  0x%08" PRIX32 ", ",
        de ? "Die Anforderungs-ID lautet" : "Your Request Id is", id,
        de ? "Die Dispositionsmeldung lautet" : "The disposition message is",
        de ? "Vom Richtlinienmodul verweigert" : "Denied by Policy Module", hresult);
    str_html(o, message);
    str_f(o, "\r\n\".\r\n</P>\r\n<P ID=locContact>%s</P>\r\n",
        de ? "Fragen Sie Ihren Administrator." : "Please ask your administrator.");
    foot(o);
}

static void label(struct str *o, const char *id, const char *name, const char *value)
{
    str_f(o, "<DT ID=%s><Font Size=-1><B>%s:</B></Font>\r\n<DD>\r\n\t\t", id, name);
    str_html(o, value);
    str_puts(o, "\r\n");
}

void page_error(struct str *o, enum page_lang lang, const struct page_error *e)
{
    bool de = lang == GERMAN;
    struct str text = { 0 };

    head(o, lang);
    title(o, de ? "Fehler" : "Error");
    str_f(o, "<P ID=locInfoError> %s </P>\r\n<DL>\r\n",
        de ? "Die Anforderung ist gescheitert." : "The request failed.");
    label(o, "locModeLabel", de ? "Anforderungsmodus" : "Request Mode", e->mode);
    str_f(&text, "%u - (%s)", e->disposition, de ? "unbekannt" : "unknown");
    label(o, "locDispLabel", de ? "Disposition" : "Disposition", text.p);
    label(o, "locDispMsgLabel", de ? "Dispositionsmeldung" : "Disposition message", e->message);
    label(o, "locResultLabel", de ? "Ergebnis" : "Result", "0x0 (WIN32: 0)");
    label(o, "locComInfoLabel", de ? "COM-Fehlerinformation" : "COM Error Info", "");
    str_cut(&text, 0);
    str_f(&text, "0x%08" PRIx32 " (%" PRId32 ")", e->hresult, (int32_t)e->hresult);
    label(o, "locLastStatLabel", de ? "Letzter Status" : "LastStatus", text.p);
    label(o, "locSugCauseLabel", de ? "M&ouml;gliche Ursache" : "Suggested Cause",
        de ? "Keine." : "No suggestions.");
    str_puts(o, "</DL>\r\n");
    foot(o);
    str_free(&text);
}

void page_welcome(struct str *o, enum page_lang lang)
{
    head(o, lang);
    title(o, lang == GERMAN ? "Willkommen" : "Welcome");
    str_f(o, "<P ID=locInfoWelcome>%s</P>\r\n",
        lang == GERMAN ? "Hier fordern Sie Zertifikate an."
                       : "This is where you ask for certificates.");
    foot(o);
}

void page_carc(struct str *o, enum page_lang lang)
{
    head(o, lang);
    str_puts(o, "<Script Language=\"JavaScript\">\r\n\tvar nRenewals=0;\r\n</Script>\r\n");
    title(o, lang == GERMAN ? "Zertifikat der Zertifizierungsstelle" : "CA certificate");
    str_f(o,
        "<P><A ID=locDownloadCACert Href=\"certnew.cer?ReqID=CACert&amp;Renewal=0&amp;Enc=b64\">"
        "%s</A>\r\n",
        lang == GERMAN ? "Herunterladen" : "Download");
    foot(o);
}

void page_advanced(struct str *o, enum page_lang lang)
{
    const struct ca_template *t;

    head(o, lang);
    title(o, lang == GERMAN ? "Zertifikat- oder Erneuerungsanforderung einreichen"
                            : "Submit a Certificate Request or Renewal Request");
    str_puts(o, "<FORM Name=SubmittedData Action=\"certfnsh.asp\" Method=Post>\r\n"
                "<Select Name=lbCertTemplate ID=lbCertTemplateID>\r\n");
    for (size_t i = 0; (t = template_at(i)) != NULL; i++)
        str_f(o, "<Option Value=\"O;%s;0;0;0;0;2048;;;\">%s\r\n", t->name, t->name);
    str_puts(o, "</Select></FORM>\r\n");
    foot(o);
}

void page_unauthorized(struct str *o)
{
    str_puts(o,
        "<!DOCTYPE html>\r\n<html><head><title>401 - Unauthorized</title></head>\r\n<body>"
        "<div id=\"header\"><h1>Server Error</h1></div>\r\n<h2>401 - Unauthorized: Access is "
        "denied due to invalid credentials.</h2>\r\n</body></html>\r\n");
}
