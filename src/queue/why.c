/* SPDX-License-Identifier: ISC */
#include "queue/why.h"

static const struct {
	const char *text;   /* never changed: it is in stores */
	const char *say[2]; /* by enum queue_language */
} whys[QUEUE_WHYS] = {
	[QUEUE_WHY_DNS] = { "the name service did not answer",
			    { "Der Namensdienst hat nicht geantwortet.",
			      "The name service did not answer." } },
	[QUEUE_WHY_BOGUS] = { "the signatures in the name service are wrong",
			      { "Die Signaturen der Domain im Namensdienst (DNSSEC) sind falsch.",
				"The domain's signatures in the name service (DNSSEC) are "
				"wrong." } },
	[QUEUE_WHY_NO_DOMAIN] = { "there is no such domain",
				  { "Die Domain gibt es nicht.", "There is no such domain." } },
	[QUEUE_WHY_NULL_MX] = { "the domain takes no mail",
				{ "Die Domain gibt bekannt, dass sie keine Mail annimmt.",
				  "The domain declares that it takes no mail." } },
	[QUEUE_WHY_LOOP] = { "the mail would come back to this server",
			     { "Nach ihrem Eintrag im Namensdienst wäre die Domain hier auf "
			       "diesem Server, aber er kennt sie nicht.",
			       "By its entry in the name service the domain would be on this "
			       "server, which does not know it." } },
	[QUEUE_WHY_NO_ADDRESS] = { "the mail server has no address",
				   { "Der Mailserver der Domain hat keine Adresse.",
				     "The domain's mail server has no address." } },
	[QUEUE_WHY_NO_WAY] = { "no address of the mail server can be reached from here",
			       { "Zu keiner Adresse des Mailservers gibt es von hier einen Weg.",
				 "From here there is no way to any address of the mail server." } },
	[QUEUE_WHY_NO_CONNECTION] = { "no connection could be made",
				      { "Der Server hat keine Verbindung angenommen.",
					"The server took no connection." } },
	[QUEUE_WHY_NO_TLS] = { "the server offers no encryption",
			       { "Der Server bietet keine Verschlüsselung an.",
				 "The server offers no encryption." } },
	[QUEUE_WHY_TLS_FAILED] = { "no encrypted connection could be set up",
				   { "Die verschlüsselte Verbindung kam nicht zustande.",
				     "The encrypted connection could not be set up." } },
	[QUEUE_WHY_UNPROVEN] = { "the server could not prove who it is",
				 { "Der Server konnte nicht beweisen, dass er der richtige ist.",
				   "The server could not prove that it is the right one." } },
	[QUEUE_WHY_NO_PROOF] = { "the domain offers no proof of its servers (DANE or MTA-STS)",
				 { "Die Domain bietet keinen Nachweis für ihre Server an (weder "
				   "DANE noch MTA-STS).",
				   "The domain offers no proof of its servers (neither DANE nor "
				   "MTA-STS)." } },
	[QUEUE_WHY_POLICY] = { "the domain's policy does not know the server",
			       { "Die Domain nennt den Server nicht in ihren Regeln (MTA-STS).",
				 "The domain's policy (MTA-STS) does not name the server." } },
	[QUEUE_WHY_POLICY_UNKNOWN] = { "the domain's policy could not be told",
				       { "Ob die Domain Regeln hat (MTA-STS), war nicht zu "
					 "erfahren.",
					 "Whether the domain has a policy (MTA-STS) could not be "
					 "told." } },
	[QUEUE_WHY_REQUIRETLS] = { "the server does not offer REQUIRETLS",
				   { "Der Server kennt REQUIRETLS nicht.",
				     "The server does not know REQUIRETLS." } },
	[QUEUE_WHY_LOGIN] = { "the relay did not take our login",
			      { "Der zwischengeschaltete Server hat unsere Anmeldung nicht "
				"angenommen.",
				"The relay did not take our login." } },
	[QUEUE_WHY_GONE] = { "the server has closed the connection",
			     { "Der Server hat die Verbindung beendet.",
			       "The server closed the connection." } },
	[QUEUE_WHY_SLOW] = { "the server did not answer in time",
			     { "Der Server hat nicht rechtzeitig geantwortet.",
			       "The server did not answer in time." } },
	[QUEUE_WHY_BROKEN] = { "what the server said is no SMTP",
			       { "Was der Server sagte, war kein SMTP.",
				 "What the server said was no SMTP." } },
	[QUEUE_WHY_TOO_LARGE] = { "the mail is larger than the server takes",
				  { "Die Mail ist größer, als der Server annimmt.",
				    "The mail is larger than the server takes." } },
	[QUEUE_WHY_8BITMIME] = { "the server does not offer 8BITMIME",
				 { "Der Server nimmt nur Mail in einer älteren Form an (ohne "
				   "8BITMIME).",
				   "The server takes only mail of an older form (without "
				   "8BITMIME)." } },
	[QUEUE_WHY_BINARYMIME] = { "the server does not offer BINARYMIME",
				   { "Der Server nimmt keine Mail mit binärem Inhalt an.",
				     "The server takes no mail with binary content." } },
	[QUEUE_WHY_SMTPUTF8] = { "the server does not offer SMTPUTF8",
				 { "Der Server kann keine Adressen und Kopfzeilen mit Umlauten.",
				   "The server cannot do addresses and headers beyond ASCII." } },
	[QUEUE_WHY_ADDRESS] = { "the address cannot be told to a server",
				{ "Die Adresse kann so keinem Server genannt werden.",
				  "The address cannot be told to any server as it is." } },
	[QUEUE_WHY_LINE_ENDS] = { "the mail has line ends that are not allowed",
				  { "Die Mail enthält unzulässige Zeilenenden.",
				    "The mail has line ends that are not allowed." } },
	[QUEUE_WHY_DELIVERBY] = { "the server does not offer DELIVERBY",
				  { "Der Server kann keine Frist zusagen (DELIVERBY), nach der die "
				    "Mail zurückkommen soll.",
				    "The server cannot promise a time (DELIVERBY) after which the "
				    "mail is to come back." } },
	[QUEUE_WHY_OURS] = { "the mail could not be read here",
			     { "Die Mail konnte hier nicht gelesen werden.",
			       "The mail could not be read here." } },
};

struct str queue_why_text(enum queue_why why)
{
	BUG_IF((unsigned)why >= QUEUE_WHYS);
	return str_of(whys[why].text);
}

struct str queue_why_say(enum queue_language l, struct str text)
{
	struct str phrase = str_part(text, 0, str_find(text, ':'));

	for (size_t i = 0; i < QUEUE_WHYS; i++)
		if (str_is(phrase, whys[i].text))
			return str_of(whys[i].say[l]);
	return S_NONE;
}
