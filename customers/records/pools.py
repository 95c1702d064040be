"""The large tables that are found by words, but for what was removed from them."""

from django.db.models.functions import Lower

from customers.models import Case, Contact, Customer, Interaction
from customers.models.cases import CASE_WORDS
from customers.models.contacts import CALLED, CONTACT_WORDS
from customers.models.interactions import INTERACTION_WORDS
from customers.models.records import CUSTOMER_WORDS
from retention.common.word_index import Pool

CUSTOMERS = Pool(Customer.objects.all(), CUSTOMER_WORDS, listed=True, name=Lower("name"))
CONTACTS = Pool(Contact.objects.filter(removed_at=None), CONTACT_WORDS, name=CALLED)
NOTES = Pool(Interaction.objects.filter(removed_at=None), INTERACTION_WORDS, latest=True)
CASES = Pool(Case.objects.all(), CASE_WORDS, latest=True)
