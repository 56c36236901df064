"""The contract's addresses, and a page for people beside them: for a strategy whose login lives in the page."""

from django.urls import path

from apps.shop import pages
from apps.shop.urls import by_method, handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*urlpatterns, path("page", by_method({"GET": pages.login_form, "POST": pages.submit}))]
